"""Commands, tools made of several of them, and how one is run."""
import argparse
import contextlib
import inspect
import json
import sys
from abc import ABC, abstractmethod
from typing import Any, Callable, Dict, List, Optional, TextIO

from lmim.utils.errors import EXIT_CODES, end_after, message_of
from lmim.utils.json_text import to_json
from lmim.utils.log import accept_all_characters
from lmim.utils.options import expand_arguments


class Command(ABC):
    """One sub-command.

    To add one, write a module with a sub-class beside those of the tool, and
    name it in their ``__init__.py``.
    """

    name: str
    #: What it is for, in one line of the list of a tool's commands.
    summary: str
    #: A command line, without the name of the tool.
    example: str = ''
    #: Whether it writes to standard output while it runs; the report then
    #: goes to standard error.
    writes = False
    #: Standard output: while it runs, `print` goes to standard error.
    out: TextIO

    @abstractmethod
    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments; ``--json`` and ``--debug`` are there."""

    @abstractmethod
    def run(self, args: argparse.Namespace) -> Optional[Dict[str, Any]]:
        """Do the work.

        Returns:
            dict: What was done, of types that JSON has. With ``'ok': False``
            the command ends with exit status 1: it did what was asked, and
            found that something is wrong. None where nothing is to be told.

        Raises:
            UserError, OSError: With a message for the user; the command then
            ends with exit status 1.
        """

    @abstractmethod
    def report(self, result: Dict[str, Any]) -> str:
        """Say in words what was done."""

    def main(self, argv: Optional[List[str]] = None) -> int:
        """Run it as `lmim NAME`, not as one of several; the exit status."""
        parser = argparse.ArgumentParser(prog=f'lmim {self.name}')
        self.set_up(parser, parser.prog)
        return self.execute(parser.parse_args(argv))

    def set_up(self, parser: argparse.ArgumentParser, tool: str) -> None:
        """Describe the command, and declare its arguments."""
        example = f'example:\n  {tool} {self.example}\n\n'
        parser.description = inspect.getdoc(self)
        parser.epilog = (example if self.example else '') + EXIT_CODES
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        self.add_arguments(parser)
        parser.add_argument(
            '--json',
            action='store_true',
            help='print the result as one JSON object on standard output '
            '(progress and errors go to standard error)')
        parser.add_argument(
            '--debug',
            action='store_true',
            help='show where an error was raised')

    def execute(self, args: argparse.Namespace) -> int:
        """Run the command with its arguments; the exit status.

        What it and its libraries print goes to standard error, as standard
        output is for the result alone. Errors that are not the user's to fix
        are raised; see :func:`lmim.utils.errors.end_after`.
        """
        self.out = sys.stdout
        accept_all_characters()
        expand_arguments(args)
        try:
            with contextlib.redirect_stdout(sys.stderr):
                result = self.run(args)
        except (Exception, KeyboardInterrupt) as error:
            status = end_after(error, self.name, args.debug)
            if args.json and isinstance(error, Exception):
                print(json.dumps({'command': self.name,
                                  'error': message_of(error)}))
            return status
        if result is None:
            return 0
        if args.json:
            print(to_json({'command': self.name, **result}, indent=2))
        else:
            print(self.report(result),
                  file=sys.stderr if self.writes else None)
        return 0 if result.get('ok', True) else 1


class Tool:
    """A tool with sub-commands; its name, as ``lmim data``, is typed first."""

    def __init__(self, name: str, description: str,
                 *commands: Command) -> None:
        self.name, self.description = name, description
        self.commands = {command.name: command for command in commands}

    def main(self, argv: Optional[List[str]] = None) -> int:
        """Run one sub-command; the exit status."""
        args = self.parser().parse_args(argv)
        return self.commands[args.command].execute(args)

    def parser(self) -> argparse.ArgumentParser:
        """The parser of all sub-commands."""
        parser = argparse.ArgumentParser(
            prog=self.name, description=self.description, epilog=EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter)
        commands = parser.add_subparsers(
            title='commands', description='COMMAND --help describes each',
            metavar='COMMAND', dest='command', required=True)
        for name, command in sorted(self.commands.items()):
            command.set_up(commands.add_parser(name, help=command.summary),
                           self.name)
        return parser


def add_size_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare how wide pictures, and how long words, a recognizer reads."""
    parser.add_argument(
        '--width', metavar='W',
        help='how wide pictures are for the model. auto: as their shape says, '
        'from the width of its training to three times that; MIN-MAX, as '
        '64-384: within these; N: all are N wide (default: as the config '
        "says; the reader's says 128)")
    parser.add_argument(
        '--max-length', type=at_least(1), metavar='N',
        help='the most characters of a word, for decoders that write step by '
        'step (default: as the config says; CTC has no such limit)')


def at_least(least: int) -> Callable[[str], int]:
    """A type for whole-number arguments with a lower limit."""

    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f'{text} is below {least}')
        return value

    return number
