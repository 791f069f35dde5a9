"""Look into checkpoints, and make others: `tools/checkpoint.py --help`."""
import sys
from pathlib import Path

# The repository's own package, whether it is installed or not.
sys.path.insert(
    0, str(Path(__file__).resolve().parent.parent / 'projects' / 'lmim'))

from lmim.cli.checkpoint import main  # noqa: E402

if __name__ == '__main__':
    sys.exit(main())
