"""The sub-commands of `tools/data.py`; importing this registers them."""
from . import crop, render  # noqa: F401  (each registers its command)
from .cli import main
from .command import COMMANDS, Command, register

__all__ = ['COMMANDS', 'Command', 'main', 'register']
