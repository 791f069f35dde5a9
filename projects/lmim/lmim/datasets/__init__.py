"""Data sets of word images; importing this registers them in MMOCR."""
from .labelled_lmdb_dataset import LabelledLMDBDataset
from .text_image_dataset import TextImageDataset
from .transforms import GuidanceView, PackPretrainInputs, SetSampleSeed
from .unlabelled_text_dataset import UnlabelledTextDataset
from .unreadable import TooManyUnreadableError

__all__ = [
    'GuidanceView', 'LabelledLMDBDataset', 'PackPretrainInputs',
    'SetSampleSeed', 'TextImageDataset', 'TooManyUnreadableError',
    'UnlabelledTextDataset'
]
