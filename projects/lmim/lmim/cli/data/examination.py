"""What is wrong, or odd, with one record."""
from dataclasses import dataclass
from typing import List, NamedTuple, Optional, Tuple

from lmim.utils.characters import named_character, oddity

from lmim.datasets.decoding import decode_image
from lmim.datasets.records import (JoinedSource, RecordSource,
                                   UnreadableRecordError)

#: Kinds of characters that are odd in a label, but not a fault: scripts need
#: them.
ORDINARY = ('combining mark', 'full-width or half-width form')


class Suspicion(NamedTuple):
    """Why a record is odd.

    Attributes:
        kind (str): Without what differs from record to record.
        detail (str): That.
    """
    kind: str
    detail: str

    def __str__(self) -> str:
        return f'{self.kind}: {self.detail}' if self.detail else self.kind


class Finding(NamedTuple):
    """What was found out about a record.

    Attributes:
        name (str): Its name, empty if nothing was found.
        fault (str, optional): Why training would skip it.
        suspicions (Tuple[Suspicion, ...]): What is odd about it otherwise.
    """
    name: str = ''
    fault: Optional[str] = None
    suspicions: Tuple[Suspicion, ...] = ()


GOOD = Finding()


@dataclass(frozen=True)
class Examination:
    """Decodes the picture of a record and looks at its label.

    Args:
        labels (bool): Whether labels are looked at.
        min_side (int): A shorter side below so many pixels is odd.
        max_ratio (float): So is a longer side of more times the shorter one.
    """
    labels: bool = True
    min_side: int = 4
    max_ratio: float = 30

    def __call__(self, source: RecordSource, index: int) -> Finding:
        """Examine a record."""
        try:
            odd = self._picture(source.read(index))
            if self.labels:
                odd += self._label(source, index)
        except UnreadableRecordError as error:
            return Finding(source.name(index), str(error))
        return Finding(source.name(index), None, tuple(odd)) if odd else GOOD

    def _picture(self, value: bytes) -> List[Suspicion]:
        height, width = decode_image(value).shape[:2]
        short, long = sorted((height, width))
        odd = []
        if short < self.min_side:
            odd.append(Suspicion(f'a side is below {self.min_side} pixels',
                                 f'{width}x{height}'))
        if long > self.max_ratio * short:
            odd.append(Suspicion(
                f'one side is over {self.max_ratio:g} times the other',
                f'{width}x{height}'))
        return odd

    def _label(self, source: RecordSource, index: int) -> List[Suspicion]:
        label = source.label(index)
        if label is None:
            if _leaf(source, index).labelled:
                raise UnreadableRecordError('no label')
            return []
        if not label.strip():
            return [Suspicion('the label is empty', repr(label))]
        odd = []
        if label != label.strip():
            odd.append(Suspicion('the label begins or ends with a blank',
                                 repr(label)))
        for char in sorted(set(label)):
            kind = oddity(char)
            if kind is not None and kind not in ORDINARY:
                odd.append(Suspicion(f'{kind} in the label',
                                     f'{named_character(char)} in {label!r}'))
        return odd


def _leaf(source: RecordSource, index: int) -> RecordSource:
    """The source that a record is from."""
    while isinstance(source, JoinedSource):
        source, index = source.locate(index)
    return source
