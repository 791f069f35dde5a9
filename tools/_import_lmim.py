"""Let the tools find the package `lmim` of this repository.

It is taken before an installed one, so that a checkout runs its own code.
Processes that are spawned inherit the path.
"""
import sys
from pathlib import Path

sys.path.insert(
    0, str(Path(__file__).resolve().parent.parent / 'projects' / 'lmim'))
