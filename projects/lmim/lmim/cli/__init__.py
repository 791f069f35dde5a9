"""What the tools with sub-commands share."""
from .command import Command, at_least
from .main import Tool, run_tool
from .progress import track

__all__ = ['Command', 'Tool', 'at_least', 'run_tool', 'track']
