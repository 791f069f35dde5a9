"""Read the words in pictures: `tools/infer.py --help`."""
import sys
from pathlib import Path

# The repository's own package, whether it is installed or not.
sys.path.insert(
    0, str(Path(__file__).resolve().parent.parent / 'projects' / 'lmim'))

from lmim.cli.infer import main  # noqa: E402

if __name__ == '__main__':
    sys.exit(main())
