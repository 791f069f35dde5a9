"""What every sub-command has."""
import argparse
from abc import ABC, abstractmethod
from typing import Any, Callable, Dict


class Command(ABC):
    """One sub-command.

    To add one, write a module with a sub-class beside those of the tool, and
    name it in their ``__init__.py``.
    """

    name: str
    #: What it is for, in one line of the list of commands.
    summary: str
    #: A command line, without `python tools/TOOL.py`.
    example: str = ''

    @abstractmethod
    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments; ``--json`` is there already."""

    @abstractmethod
    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Do the work.

        Returns:
            dict: What was done, of types that JSON has. With ``'ok': False``
            the command ends with exit status 1: it did what was asked, and
            found that something is wrong.

        Raises:
            OSError, ValueError: With a message for the user; the command
            then ends with exit status 1.
        """

    @abstractmethod
    def report(self, result: Dict[str, Any]) -> str:
        """Tell what was done in words."""


def at_least(least: int) -> Callable[[str], int]:
    """A type for whole-number arguments with a lower limit."""

    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f'{text} is below {least}')
        return value

    return number
