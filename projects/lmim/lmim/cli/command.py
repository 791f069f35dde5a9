"""Commands, tools made of several of them, and how one is run."""
import argparse
import contextlib
import inspect
import io
import json
import sys
from abc import ABC, abstractmethod
from typing import Any, Callable, Dict, List, Optional, Tuple, TypeVar

from lmim.utils.errors import EXIT_CODES, end_after, message_of

Result = TypeVar('Result')


class Command(ABC):
    """One sub-command.

    To add one, write a module with a sub-class beside those of the tool, and
    name it in their ``__init__.py``.
    """

    name: str
    #: What it is for, in one line of the list of commands.
    summary: str
    #: A command line, without the name of the tool.
    example: str = ''

    @abstractmethod
    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments; ``--json`` and ``--debug`` are there."""

    @abstractmethod
    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Do the work.

        Returns:
            dict: What was done, of types that JSON has. With ``'ok': False``
            the command ends with exit status 1: it did what was asked, and
            found that something is wrong.

        Raises:
            UserError, OSError: With a message for the user; the command then
            ends with exit status 1.
        """

    @abstractmethod
    def report(self, result: Dict[str, Any]) -> str:
        """Say in words what was done."""


class Tool:
    """A tool with sub-commands, such as ``lmim data``.

    Args:
        name (str): What is typed before a command.
        description (str): What `--help` says of it.
        commands (Command): Its sub-commands.
    """

    def __init__(self, name: str, description: str,
                 *commands: Command) -> None:
        self.name, self.description = name, description
        self.commands = {command.name: command for command in commands}

    def main(self, argv: Optional[List[str]] = None) -> int:
        """Run one sub-command; the exit status.

        Args:
            argv (list[str], optional): Its name and arguments. Defaults to
                the process's own.
        """
        args = self.parser().parse_args(argv)
        return _run(self.commands[args.command], args)

    def parser(self) -> argparse.ArgumentParser:
        """The parser of all sub-commands."""
        parser = argparse.ArgumentParser(
            prog=self.name, description=self.description, epilog=EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter)
        commands = parser.add_subparsers(
            title='commands', description='COMMAND --help describes each',
            metavar='COMMAND', dest='command', required=True)
        for name, command in sorted(self.commands.items()):
            _set_up(commands.add_parser(name, help=command.summary),
                    self.name, command)
        return parser


def run_command(name: str, command: Command,
                argv: Optional[List[str]] = None) -> int:
    """Run a tool that has one command, whose name is not typed.

    Args:
        name (str): What it is called behind `lmim`.
        command (Command): What it does.
        argv (list[str], optional): Its arguments. Defaults to the process's
            own.

    Returns:
        int: The exit status.
    """
    parser = argparse.ArgumentParser(prog=f'lmim {name}')
    _set_up(parser, parser.prog, command)
    return _run(command, parser.parse_args(argv))


def _run(command: Command, args: argparse.Namespace) -> int:
    """Run a command with its arguments; the exit status."""
    status, result = guarded(command.name, args, lambda: command.run(args))
    if result is None:
        return status
    if args.json:
        print(json.dumps({'command': command.name, **result}, indent=2))
    else:
        print(command.report(result))
    return 0 if result.get('ok', True) else 1


def guarded(name: str, args: argparse.Namespace,
            work: Callable[[], Result]) -> Tuple[int, Optional[Result]]:
    """Do the work of a command; an error of the user's ends in its message.

    Args:
        name (str): Of the command.
        args (argparse.Namespace): With ``json`` and ``debug``.
        work (Callable): Does it. What it and its libraries print goes to
            standard error, as standard output is for the result alone.

    Returns:
        tuple: The exit status, 0, 1 or 130, and the result, None if there
        is none.

    Raises:
        Exception: What is not the user's to fix; see
            :func:`lmim.utils.errors.end_after`.
    """
    for stream in (sys.stdout, sys.stderr):
        # Labels hold what a terminal's encoding may lack.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return 0, work()
    except (Exception, KeyboardInterrupt) as error:
        status = end_after(error, name, args.debug)
        if args.json and isinstance(error, Exception):
            print(json.dumps({'command': name, 'error': message_of(error)}))
        return status, None


def _set_up(parser: argparse.ArgumentParser, tool: str,
            command: Command) -> None:
    """Describe a command, and declare its arguments."""
    example = (f'example:\n  {tool} {command.example}\n\n'
               if command.example else '')
    parser.description = inspect.getdoc(command)
    parser.epilog = example + EXIT_CODES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    command.add_arguments(parser)
    parser.add_argument(
        '--json',
        action='store_true',
        help='print the result as one JSON object on standard output '
        '(progress and errors go to standard error)')
    parser.add_argument(
        '--debug',
        action='store_true',
        help='show where an error was raised')


def at_least(least: int) -> Callable[[str], int]:
    """A type for whole-number arguments with a lower limit."""

    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f'{text} is below {least}')
        return value

    return number
