"""Records, sources of them, and sources made of other sources."""
import logging
import sys
from abc import ABCMeta, abstractmethod
from array import array
from bisect import bisect_right
from itertools import accumulate
from typing import Any, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import torch
from mmengine.logging import MMLogger, print_log
from torch import Tensor

from lmim.utils.errors import UserError


class UnreadableRecordError(UserError):
    """A record that cannot be read or decoded; the message says why."""


class RecordSource(metaclass=ABCMeta):
    """Numbered records, each the bytes of one image file.

    A source holds no Python object per record, and nothing that cannot be
    sent to another process.
    """

    #: Where the records come from, as the user wrote it.
    path: str
    #: What was recognised there, in words.
    layout: str
    #: Whether the records carry labels, judged by the first ones.
    labelled: bool

    @abstractmethod
    def __len__(self) -> int:
        """The number of records."""

    @abstractmethod
    def read(self, index: int) -> bytes:
        """Read the encoded image.

        Args:
            index (int): Number of the record, from 0.

        Raises:
            UnreadableRecordError: If it cannot be read, or is empty.
        """

    @abstractmethod
    def name(self, index: int) -> str:
        """Name of the record by which a person finds it."""

    def label(self, index: int) -> Optional[str]:
        """The text in the picture, or None where the record has none.

        Raises:
            UnreadableRecordError: If there is a label but it is no text.
        """
        return None


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
        #: Only if all sources are.
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


def leaves(source: RecordSource) -> List[RecordSource]:
    """The sources that one is joined from, or itself."""
    if isinstance(source, JoinedSource):
        return [leaf for part in source.sources for leaf in leaves(part)]
    return [source]


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
    """The parts of a source that is joined from others, or itself."""
    sources = source.sources if isinstance(source, JoinedSource) else [source]
    return _parts([(one.path, len(one)) for one in sources])


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
    source = getattr(dataset, 'source', None)
    if isinstance(source, RecordSource):
        return parts_of_source(source)
    return _parts([(_name(one), len(one))
                   for one in getattr(dataset, 'datasets', [dataset])])


def _parts(places: Sequence[Tuple[str, int]]) -> List[Part]:
    ends = accumulate(size for _, size in places)
    return [Part(name, end - size, size)
            for (name, size), end in zip(places, ends)]


def _name(dataset: Any) -> str:
    """Where a data set's records come from, or what it is."""
    source = getattr(dataset, 'source', None)
    if isinstance(source, RecordSource):
        return source.path
    return getattr(dataset, 'ann_file', '') or type(dataset).__name__


class PackedBytes:
    """Many byte strings in two arrays, without an object for each.

    The arrays are shared with all workers, forked or spawned.

    Args:
        values (Iterable[bytes]): The strings; they need not be in memory
            together.
    """

    def __init__(self, values: Iterable[bytes]) -> None:
        data, ends = bytearray(), array('q', [0])
        for value in values:
            data += value
            ends.append(len(data))
        self._ends = share(np.frombuffer(ends, np.int64))
        self._data = share(np.frombuffer(data, np.uint8))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, index: int) -> bytes:
        begin, end = self._ends.numpy()[index:index + 2]
        return self._data.numpy()[begin:end].tobytes()


def share(values: np.ndarray) -> Tensor:
    """Copy an array into memory that all processes share.

    A worker, forked or spawned, then has no copy of its own.

    Args:
        values (np.ndarray): Any shape (...), uint8 or int64.

    Returns:
        Tensor: The same values, of the same shape. Where there is too little
        shared memory it is an ordinary tensor, and the log says so.
    """
    tensor = torch.empty(values.shape,
                         dtype=getattr(torch, values.dtype.name))
    try:
        if values.size:
            tensor.share_memory_()
    except RuntimeError as error:  # a container with a small /dev/shm
        log_message(
            f'{values.nbytes / 2**20:.0f} MB do not fit into shared memory: '
            'each spawned worker keeps a copy of them. Give the container '
            f'more (docker run --shm-size). {error}')
    tensor.numpy()[...] = values
    return tensor


def log_message(message: str, level: int = logging.WARNING) -> None:
    """Write into the log of the run, or to standard error without one.

    MMEngine's logger prints on standard output, where the tools print their
    results; so none is made for this.

    Args:
        message (str): The message.
        level (int): As in :mod:`logging`. Defaults to a warning.
    """
    if MMLogger._instance_dict:
        print_log(message, logger='current', level=level)
    else:
        print(message, file=sys.stderr)
