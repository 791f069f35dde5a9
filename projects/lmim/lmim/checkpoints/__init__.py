"""Checkpoints: reading, formats of the field, loading."""
from .errors import CheckpointError
from .formats import (FORMATS, CheckpointFormat, detect_format, names_to_ours,
                      to_ours)
from .loading import LoadReport, load_encoder
from .reading import read_checkpoint, read_weights

__all__ = [
    'FORMATS', 'CheckpointError', 'CheckpointFormat', 'LoadReport',
    'detect_format', 'load_encoder', 'names_to_ours', 'read_checkpoint',
    'read_weights', 'to_ours'
]
