"""Let the tools find the package `lmim` beside them.

An installed `lmim` is taken first; only where there is none is the folder of
this repository added. Processes that are spawned inherit the path.
"""
import importlib.util
import sys
from pathlib import Path

if importlib.util.find_spec('lmim') is None:
    sys.path.insert(
        0, str(Path(__file__).resolve().parent.parent / 'projects' / 'lmim'))
