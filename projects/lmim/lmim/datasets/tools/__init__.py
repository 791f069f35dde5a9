"""The sub-commands of `tools/data.py`; importing this registers them."""
from . import (  # noqa: F401  (each registers its command)
    check,
    create,
    crop,
    dedup,
    dictionary,
    inspect_set,
    list_sets,
    render,
    split,
    validate,
    verify,
)
from .cli import main
from .command import COMMANDS, Command, register

__all__ = ['COMMANDS', 'Command', 'main', 'register']
