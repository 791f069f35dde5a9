"""Word images in LMDBs."""
import os.path as osp
from typing import List, Optional

from .base import RecordSource, UnreadableRecordError
from .labels import are_json_labels, json_label, plain_label
from .lmdb_store import LMDBStore
from .log import tell

#: So many of the first records, and as many spread over the rest, are looked
#: at to tell what an LMDB holds.
HEAD = 100


class LMDBSource(RecordSource):
    """Word images of an LMDB, and their labels from there or from another.

    The layouts are those of Union14M-U (``num-samples`` and ``image-%09d``,
    numbered from 1), deep-text-recognition-benchmark and PARSeq (and
    ``label-%09d``, plain UTF-8) and MMOCR (labels as JSON objects with
    ``text``, perhaps in an LMDB of their own).

    Args:
        path (str): The folder that holds ``data.mdb``.
        labels (str, optional): An LMDB that holds the labels instead.

    Raises:
        ValueError: If there is no ``num-samples``, or it is no number, or
            there are no images, or ``labels`` has none or not as many.
        OSError: If LMDB cannot open it.
    """

    def __init__(self, path: str, labels: Optional[str] = None) -> None:
        self.path = path
        self.store = LMDBStore(path)
        self._length = self.store.count()
        #: Path of the LMDB that holds the labels, if it is another.
        self.labels = labels
        self._labels = self.store
        if labels is not None:
            self._labels = LMDBStore(labels)
            self._check_labels()
        for loss in dict.fromkeys([self.store.loss, self._labels.loss]):
            if loss is not None:
                tell(loss)
        self.labelled = holds(self._labels, 'label', self._length)
        if self._length:
            self._check_images()
        self._json = self.labelled and are_json_labels(self._first_labels())
        if labels is not None:
            self.layout = 'LMDB with labels in another LMDB'
        elif self.labelled:
            kind = 'JSON' if self._json else 'plain'
            self.layout = f'LMDB with {kind} labels'
        else:
            self.layout = 'LMDB with images only'

    def __len__(self) -> int:
        return self._length

    def read(self, index: int) -> bytes:
        """The value of ``image-%09d``."""
        key = f'image-{index + 1:09d}'
        value = self.store.get(key)
        if value is None:
            raise UnreadableRecordError(f'no key {key!r}')
        if not value:
            raise UnreadableRecordError('no bytes')
        return value

    def label(self, index: int) -> Optional[str]:
        """The text of ``label-%09d``, None where there is no such key."""
        value = self._labels.get(f'label-{index + 1:09d}')
        if value is None:
            return None
        return json_label(value) if self._json else plain_label(value)

    def name(self, index: int) -> str:
        """The path of the LMDB, and the key."""
        return f'{self.path} image-{index + 1:09d}'

    def _first_labels(self) -> List[bytes]:
        found = []
        for index in range(min(HEAD, self._length)):
            try:
                value = self._labels.get(f'label-{index + 1:09d}')
            except UnreadableRecordError:  # lost: told when it is asked for
                continue
            if value is not None:
                found.append(value)
        return found

    def _check_images(self) -> None:
        if holds(self.store, 'image', self._length, lost=True):
            return
        if holds(self.store, 'label', self._length):
            raise ValueError(
                f'{self.path} holds {self._length:,} labels and no images. '
                'Give the LMDB with the images, and this one as its labels: '
                f'dict(path=IMAGES, labels={self.path!r}) in a config, '
                f'`IMAGES --labels {self.path}` on the command line.')
        raise ValueError(
            f"{self.path}: the LMDB has no key 'image-000000001', nor others "
            'of this kind that were looked for; its first keys are '
            f'{self.store.first_keys()}. Images lie under '
            "'image-000000001' and so on.")

    def _check_labels(self) -> None:
        labels, count = self._labels, self._labels.count()
        if count != self._length:
            raise ValueError(
                f'{self.path} has {self._length:,} images, and '
                f'{labels.path}, which is to hold their labels, {count:,}. '
                'Give two LMDBs that belong together.')
        if count and not holds(labels, 'label', count):
            raise ValueError(
                f"{labels.path} is to hold the labels of {self.path}, and "
                "has no key 'label-000000001'; its first keys are "
                f'{labels.first_keys()}.')


def holds(store: LMDBStore, kind: str, count: int,
          lost: bool = False) -> bool:
    """Whether an LMDB has keys ``<kind>-%09d``.

    Args:
        store (LMDBStore): The LMDB.
        kind (str): 'image' or 'label'.
        count (int): How many records it says that it has.
        lost (bool): The answer where the pages that would tell are lost.
    """
    spread = range(HEAD, count, -(-count // HEAD) or 1)
    found = False
    for index in [*range(min(HEAD, count)), *spread]:
        try:
            if store.get(f'{kind}-{index + 1:09d}') is not None:
                return True
        except UnreadableRecordError:
            found = lost
    return found


def find_labels(path: str, count: int, lmdbs: List[str]) -> List[str]:
    """LMDBs that hold nothing but the labels of an LMDB of images.

    Args:
        path (str): The LMDB of images.
        count (int): How many it has.
        lmdbs (List[str]): LMDBs that may be it.

    Returns:
        List[str]: Those of as many records, with labels and no images.
    """
    found = []
    for other in lmdbs:
        if osp.realpath(other) == osp.realpath(path):
            continue
        try:
            store = LMDBStore(other)
            fits = (store.count() == count and holds(store, 'label', count)
                    and not holds(store, 'image', count, lost=True))
        except (OSError, ValueError):  # nobody has asked for this one
            continue
        if fits:
            found.append(other)
    return found
