"""The sub-commands of `lmim visualize`."""
from lmim.cli import Tool

from .attention import Attention
from .browse import Browse
from .groups import Groups
from .pretraining import Mask, Reconstruction, Views

DESCRIPTION = """Draw pictures of what is learnt, and from what.

IMAGES are image files, LMDBs, folders or lists. No display is needed:
pictures are written to files.

  lmim visualize views words.lmdb
  lmim visualize reconstruction words.lmdb --checkpoint lmim.pth
  lmim visualize attention a.png b.png --checkpoint mae.pth lmim.pth

`COMMAND --help` tells of each."""
TOOL = Tool('lmim visualize', DESCRIPTION, Attention(), Browse(), Groups(),
            Mask(), Reconstruction(), Views())
main = TOOL.main
