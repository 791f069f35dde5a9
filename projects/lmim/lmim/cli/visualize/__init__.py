"""The sub-commands of `lmim visualize`."""
from typing import Dict, List, Optional

from lmim.cli import Command, Tool, run_tool

from .attention import Attention
from .browse import Browse
from .pretraining import Mask, Reconstruction, Views

DESCRIPTION = """Draw pictures of what is learnt, and from what.

IMAGES are image files, LMDBs, folders or lists. No display is needed:
pictures are written to files.

  lmim visualize views words.lmdb
  lmim visualize reconstruction words.lmdb --checkpoint lmim.pth
  lmim visualize attention a.png b.png --checkpoint mae.pth lmim.pth

`COMMAND --help` tells of each."""
COMMANDS: Dict[str, Command] = {
    command.name: command
    for command in (Attention(), Browse(), Mask(), Reconstruction(),
                    Views())
}


def main(argv: Optional[List[str]] = None) -> int:
    """Run one sub-command; see :func:`lmim.cli.run_tool`."""
    return run_tool(Tool('visualize', DESCRIPTION, COMMANDS), argv)


__all__ = ['COMMANDS', 'main']
