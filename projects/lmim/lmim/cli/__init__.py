"""What the tools share."""
from .command import Command, at_least
from .guarding import guarded
from .main import Tool, run_command, run_tool
from lmim.utils.progress import track

__all__ = [
    'Command', 'Tool', 'at_least', 'guarded', 'run_command', 'run_tool',
    'track'
]
