"""Let the tools find the package `lmim` of this repository.

It is taken before an installed one, so that a checkout runs its own code, as
do the processes that it starts.
"""
import os
import sys
from pathlib import Path

_PATH = str(Path(__file__).resolve().parent.parent / 'projects' / 'lmim')
sys.path.insert(0, _PATH)
os.environ['PYTHONPATH'] = os.pathsep.join(
    [_PATH, *filter(None, [os.environ.get('PYTHONPATH')])])
