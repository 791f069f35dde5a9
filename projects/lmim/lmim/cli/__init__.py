"""The command line `lmim COMMAND`, and what its commands share."""
from lmim.utils.progress import track

from .command import Command, Tool, add_size_arguments, at_least

__all__ = ['Command', 'Tool', 'add_size_arguments', 'at_least', 'track']
