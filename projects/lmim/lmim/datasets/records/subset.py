"""Some records of a source."""
from typing import Optional

import numpy as np

from .base import RecordSource
from .shared import share


class SubsetSource(RecordSource):
    """Some records of a source, in a given order, without copying.

    Args:
        source (RecordSource): The source.
        indices (np.ndarray): Numbers of the records, int64 of shape (N, ).
    """

    def __init__(self, source: RecordSource, indices: np.ndarray) -> None:
        self.source = source
        self.path = source.path
        self.layout = source.layout
        self.labelled = source.labelled
        self._indices = share(np.asarray(indices, np.int64))

    def __len__(self) -> int:
        return len(self._indices)

    def read(self, index: int) -> bytes:
        """The bytes of a record."""
        return self.source.read(int(self._indices[index]))

    def label(self, index: int) -> Optional[str]:
        """The label of a record."""
        return self.source.label(int(self._indices[index]))

    def name(self, index: int) -> str:
        """The name of a record in the source."""
        return self.source.name(int(self._indices[index]))
