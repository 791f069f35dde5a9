"""The command line of `tools/data.py`."""
import argparse
import inspect
import json
import sys
from typing import List, Optional

import lmdb

from .command import COMMANDS

EXIT_CODES = """exit status:
  0    done (or nothing to do)
  1    not done; the message says why and what to do
  2    the command line is wrong
  130  interrupted; nothing half-made is left"""


def main(argv: Optional[List[str]] = None) -> int:
    """Run one sub-command.

    Args:
        argv (list[str], optional): Its name and arguments. Defaults to the
            process's own.

    Returns:
        int: The exit status.
    """
    args = _parser().parse_args(argv)
    command = COMMANDS[args.command]
    try:
        result = command.run(args)
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        return 130
    except (OSError, ValueError, lmdb.Error) as error:
        print(f'{args.command}: error: {error}', file=sys.stderr)
        if args.json:
            print(json.dumps({'command': args.command, 'error': str(error)}))
        return 1
    if args.json:
        print(json.dumps({'command': args.command, **result}, indent=2))
    else:
        print(command.report(result))
    return 0


def _parser() -> argparse.ArgumentParser:
    """The parser of all sub-commands."""
    parser = argparse.ArgumentParser(
        prog='data.py',
        description='Make and look after sets of word images.',
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(
        dest='command', required=True, metavar='COMMAND')
    for name in sorted(COMMANDS):
        command = COMMANDS[name]
        sub = commands.add_parser(
            name,
            help=command.summary,
            description=inspect.getdoc(command),
            epilog=EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter)
        command.add_arguments(sub)
        sub.add_argument(
            '--json',
            action='store_true',
            help='print the result as one JSON object on standard output '
            '(progress and errors go to standard error)')
    return parser
