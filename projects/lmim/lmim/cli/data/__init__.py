"""The sub-commands of `lmim data`."""
from lmim.cli import Tool

from .check import Check
from .create import Create, Split
from .crop import Crop
from .dedup import Dedup
from .dictionary import MakeDictionary
from .inspect import Inspect
from .known_sets import ListSets, Verify
from .label import LabelPictures
from .language import Language
from .render import Render
from .validate import Validate

DESCRIPTION = """Make and look after sets of word images.

What is read may be an LMDB (images only, or with plain or JSON labels, or
with its labels in another LMDB), a folder of images or of LMDBs, a list
(path<TAB>label), JSON lines, or MMOCR JSON: it is recognised. The way of
labelled words to a training run is

  lmim data create train_list.txt words.lmdb
  lmim data validate words.lmdb
  lmim data inspect words.lmdb --sheet words.png
  lmim data split words.lmdb data/words"""
TOOL = Tool('lmim data', DESCRIPTION, Check(), Create(), Crop(), Dedup(),
            MakeDictionary(), Inspect(), LabelPictures(), Language(),
            ListSets(), Render(), Split(), Validate(), Verify())
main = TOOL.main
