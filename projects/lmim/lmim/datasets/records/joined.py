"""Several sources as one."""
from bisect import bisect_right
from itertools import accumulate
from typing import Optional, Sequence, Tuple

from .base import RecordSource


class JoinedSource(RecordSource):
    """Several sources as one, one after the other, without copying.

    Args:
        sources (Sequence[RecordSource]): At least one.
    """

    def __init__(self, sources: Sequence[RecordSource]) -> None:
        self.sources = list(sources)
        self.path = ', '.join(source.path for source in sources)
        self.layout = ', '.join(
            dict.fromkeys(source.layout for source in sources))
        #: Only if those of each source are.
        self.labelled = all(source.labelled for source in sources)
        #: Number of the first record after each source.
        self.ends = list(accumulate(len(source) for source in sources))

    def __len__(self) -> int:
        return self.ends[-1]

    def locate(self, index: int) -> Tuple[RecordSource, int]:
        """The source of a record, and its number in that source."""
        number = bisect_right(self.ends, index)
        begin = self.ends[number - 1] if number else 0
        return self.sources[number], index - begin

    def read(self, index: int) -> bytes:
        """The bytes of a record, from the source that has it."""
        source, local = self.locate(index)
        return source.read(local)

    def label(self, index: int) -> Optional[str]:
        """The label of a record, from the source that has it."""
        source, local = self.locate(index)
        return source.label(local)

    def name(self, index: int) -> str:
        """The name of a record in the source that has it."""
        source, local = self.locate(index)
        return source.name(local)
