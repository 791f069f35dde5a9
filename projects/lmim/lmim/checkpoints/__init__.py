"""Checkpoints: reading and writing, formats of the field, loading."""
from .averaging import average
from .contents import Checkpoint, open_checkpoint, write_checkpoint
from .conversion import Conversion, convert, extract_encoder
from lmim.utils.errors import CheckpointError
from .formats import (FORMATS, CheckpointFormat, detect_format, names_to_ours,
                      to_ours)
from .loading import LoadReport, load_encoder
from .reading import read_checkpoint, read_weights
from .resizing import resize_dictionary

__all__ = [
    'FORMATS', 'Checkpoint', 'CheckpointError', 'CheckpointFormat',
    'Conversion', 'LoadReport', 'average', 'convert', 'detect_format',
    'extract_encoder', 'load_encoder', 'names_to_ours', 'open_checkpoint',
    'read_checkpoint', 'read_weights', 'resize_dictionary', 'to_ours',
    'write_checkpoint'
]
