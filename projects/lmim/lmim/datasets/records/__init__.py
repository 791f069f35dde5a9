"""Where the bytes of images come from, one class for each kind of place."""
from .base import RecordSource, UnreadableRecordError
from .folder import FolderSource
from .joined import JoinedSource
from .lists import ListSource
from .lmdb import LMDBSource
from .opening import open_sources
from .subset import SubsetSource

__all__ = [
    'FolderSource', 'JoinedSource', 'LMDBSource', 'ListSource',
    'RecordSource', 'SubsetSource', 'UnreadableRecordError', 'open_sources'
]
