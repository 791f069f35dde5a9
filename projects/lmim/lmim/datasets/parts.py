"""The parts that a data set is joined from."""
from typing import Any, List, NamedTuple

from .records import JoinedSource, RecordSource


class Part(NamedTuple):
    """Neighbouring records of a set that come from one place.

    Attributes:
        name (str): The place, as a person knows it.
        begin (int): Number of its first record in the whole.
        size (int): How many records it has.
    """
    name: str
    begin: int
    size: int

    @property
    def end(self) -> int:
        """int: Number of the first record after it."""
        return self.begin + self.size


def parts_of_source(source: RecordSource) -> List[Part]:
    """The sources that one is joined from, or itself.

    Args:
        source (RecordSource): Of a data set.
    """
    if isinstance(source, JoinedSource):
        return _parts([one.path for one in source.sources],
                      [len(one) for one in source.sources])
    return _parts([source.path], [len(source)])


def parts_of_dataset(dataset: Any) -> List[Part]:
    """The parts of a data set, as :class:`RatioSampler` mixes them.

    Args:
        dataset (Any): A ``ConcatDataset`` of MMEngine or MMOCR, whose parts
            are its data sets; a :class:`TextImageDataset`, whose parts are
            its ``paths`` (of a folder of LMDBs, each of these); or any other,
            which is one part.
    """
    if hasattr(dataset, 'full_init'):
        dataset.full_init()
    inner = getattr(dataset, 'datasets', None)
    if inner is not None:
        return _parts([_name(one) for one in inner],
                      [len(one) for one in inner])
    source = getattr(dataset, 'source', None)
    if isinstance(source, RecordSource):
        return parts_of_source(source)
    return _parts([_name(dataset)], [len(dataset)])


def _parts(names: List[str], sizes: List[int]) -> List[Part]:
    begin, parts = 0, []
    for name, size in zip(names, sizes):
        parts.append(Part(name, begin, size))
        begin += size
    return parts


def _name(dataset: Any) -> str:
    """Where a data set's records come from, or what it is."""
    source = getattr(dataset, 'source', None)
    if isinstance(source, RecordSource):
        return source.path
    return getattr(dataset, 'ann_file', '') or type(dataset).__name__
