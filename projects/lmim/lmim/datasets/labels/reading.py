"""The labels of a data set, without its pictures."""
from typing import Any, Iterable, Iterator, List, NamedTuple, Optional

from ..records import RecordSource, UnreadableRecordError


class Label(NamedTuple):
    """The label of a record.

    Attributes:
        dataset (Any): The innermost data set, or the source, that has the
            record.
        number (int): Its number there.
        text (str, optional): None where the record has no label that can be
            read.
        problem (str, optional): Why it cannot be read, where it is there.
    """
    dataset: Any
    number: int
    text: Optional[str]
    problem: Optional[str] = None

    @property
    def picture(self) -> str:
        """str: Name of the picture by which a person finds it."""
        if isinstance(self.dataset, RecordSource):
            return self.dataset.name(self.number)
        describe = getattr(self.dataset, 'describe', None)
        if describe is not None:
            return describe(self.number)
        info = self.dataset.get_data_info(self.number)
        for key in ('img_path', 'img_key'):
            if info.get(key):
                return str(info[key])
        return f'record {self.number}'


def innermost(dataset: Any) -> List[Any]:
    """The data sets inside MMEngine's wrappers, each once.

    Args:
        dataset (Any): A data set, or a wrapper with ``dataset`` or
            ``datasets`` (``ConcatDataset``, ``RepeatDataset`` ...).

    Returns:
        List[Any]: Those that wrap nothing and describe a record without
        decoding its picture (``get_data_info``).
    """
    inner = getattr(dataset, 'datasets', None)
    if inner is None:
        inner = getattr(dataset, 'dataset', None)
        inner = None if inner is None else [inner]
    if inner is not None:
        found = [leaf for part in inner for leaf in innermost(part)]
        return list({id(leaf): leaf for leaf in found}.values())
    return [dataset] if hasattr(dataset, 'get_data_info') else []


def iter_labels(dataset: Any,
                indices: Optional[Iterable[int]] = None) -> Iterator[Label]:
    """The labels of a data set or a source; no picture is read.

    Args:
        dataset (Any): One of :func:`innermost`, or a
            :class:`~lmim.datasets.records.RecordSource`.
        indices (Iterable[int], optional): Numbers of records. Defaults to
            all.

    Yields:
        Label: One for each record.
    """
    source = (dataset if isinstance(dataset, RecordSource) else getattr(
        dataset, 'source', None))
    read = getattr(source, 'label', None)
    for index in range(len(dataset)) if indices is None else indices:
        try:
            text = (read(index) if read is not None else _text(
                dataset.get_data_info(index)))
        except UnreadableRecordError as error:
            yield Label(dataset, index, None, str(error))
        else:
            yield Label(dataset, index, text)


def _text(info: dict) -> Optional[str]:
    """The text in MMOCR's description of a record."""
    instances = info.get('instances') or [{}]
    return instances[0].get('text')
