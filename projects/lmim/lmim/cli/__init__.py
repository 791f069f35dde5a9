"""The command line `lmim COMMAND`, and what its commands share."""
from lmim.utils.progress import track

from .command import Command, Tool, at_least

__all__ = ['Command', 'Tool', 'at_least', 'track']
