"""Look for what is wrong with this installation: `tools/doctor.py --help`.

It runs where lmim, or what lmim needs, cannot be imported.
"""
import sys
import types
from pathlib import Path

# An empty package in the place of lmim, which would import everything: the
# doctor's modules are found in it all the same.
_stand_in = sys.modules['lmim'] = types.ModuleType('lmim')
_stand_in.__path__ = [
    str(Path(__file__).resolve().parent.parent / 'projects' / 'lmim' / 'lmim')
]

from lmim.doctor.main import main  # noqa: E402

if __name__ == '__main__':
    sys.exit(main())
