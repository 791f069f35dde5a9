"""`lmim checkpoint`: its sub-commands."""
from lmim.cli import Tool

from .convert import Average, Convert, Extract
from .inspect import Inspect
from .probe import Probe
from .publish import Publish
from .resize_dictionary import ResizeDictionary

DESCRIPTION = """Look into checkpoints, and make others of them.

Formats are recognised: MAE and MAERec, LMIM's published code, timm,
mmpretrain, and this project's; as files of torch.save or of safetensors. What
a file would execute is never run.

  lmim checkpoint inspect checkpoint.pth
  lmim checkpoint probe checkpoint.pth
  lmim checkpoint convert checkpoint.pth ours.pth --to ours
  lmim checkpoint extract ours.pth encoder.pth
  lmim checkpoint publish ours.pth reader.safetensors

`COMMAND --help` tells of each."""
TOOL = Tool('lmim checkpoint', DESCRIPTION, Average(), Convert(), Extract(),
            Inspect(), Probe(), Publish(), ResizeDictionary())
main = TOOL.main
