"""Checkpoints: files, formats of the field, loading encoders."""
from lmim.utils.errors import CheckpointError
from .averaging import average
from .contents import Checkpoint, open_checkpoint, write_checkpoint
from .conversion import Conversion, convert, extract_encoder
from .formats import (FORMATS, CheckpointFormat, detect_format, names_to_ours,
                      register_format, to_ours)
from .loading import LoadReport, load_encoder_weights
from .reading import read_checkpoint

__all__ = [
    'FORMATS', 'Checkpoint', 'CheckpointError', 'CheckpointFormat',
    'Conversion', 'LoadReport', 'average', 'convert', 'detect_format',
    'extract_encoder', 'load_encoder_weights', 'names_to_ours',
    'open_checkpoint', 'read_checkpoint', 'register_format', 'to_ours',
    'write_checkpoint'
]
