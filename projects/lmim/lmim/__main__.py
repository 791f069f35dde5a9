"""`python -m lmim COMMAND`; see :mod:`lmim.commands`."""
import sys

from .commands import main

if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
