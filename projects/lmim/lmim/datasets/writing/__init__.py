"""Sets that are written whole or not at all."""
from .lmdb_writer import LMDBWriter
from .whole_folder import whole_folder

__all__ = ['LMDBWriter', 'whole_folder']
