"""Try recognizers on a page in the browser: `tools/demo.py --help`."""
import sys
from pathlib import Path

# The repository's own package, whether it is installed or not.
sys.path.insert(
    0, str(Path(__file__).resolve().parent.parent / 'projects' / 'lmim'))

from lmim.cli.demo import main  # noqa: E402

if __name__ == '__main__':
    sys.exit(main())
