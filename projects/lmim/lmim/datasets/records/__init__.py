"""Where records come from, one class for each kind of place."""
from .base import (JoinedSource, Part, RecordSource, UnreadableRecordError,
                   leaves, parts_of_dataset, parts_of_source)
from .folder import (IMAGE_SUFFIXES, FolderSource, printable,
                     read_image_file)
from .lists import ListSource
from .lmdb import LMDBSource, is_lmdb
from .opening import Spec, open_sources

__all__ = [
    'FolderSource', 'IMAGE_SUFFIXES', 'JoinedSource', 'LMDBSource',
    'ListSource', 'Part', 'RecordSource', 'Spec', 'UnreadableRecordError',
    'is_lmdb', 'leaves', 'open_sources', 'parts_of_dataset',
    'parts_of_source', 'printable', 'read_image_file'
]
