"""What the tools share."""
from .command import Command, at_least
from .main import Tool, run_command, run_tool
from .progress import track

__all__ = ['Command', 'Tool', 'at_least', 'run_command', 'run_tool', 'track']
