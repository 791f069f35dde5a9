"""A user's labelled pictures: read, and split into training and test."""
import contextlib
import hashlib
import json
import sys
from pathlib import Path
from typing import Iterable, List, Optional, Set, Tuple

import mmcv

from lmim.datasets import LabelledLMDBDataset
from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.datasets.sources import UnreadableRecordError

Pair = Tuple[Path, str]
TEST_SHARE = 0.2


def split(data: Path, image_root: Optional[str], folder: Path) -> List[str]:
    """Split labelled pictures into a part to train on and one to test on.

    The part hangs on the label, so that no word of the test is trained on.

    Args:
        data (Path): LMDB or list.
        image_root (str, optional): What paths of a list are relative to.
        folder (Path): Where train.lmdb and test.lmdb are made.

    Returns:
        List[str]: What could not be read, named.

    Raises:
        SystemExit: If either part would be empty.
    """
    source = (_Records(data) if data.is_dir() else
              _Files(read_list(data, image_root)))
    labels = map(source.label, range(len(source)))
    held_out = test_labels(label for label in labels if label is not None)
    unreadable: List[str] = []
    counts = {'train': 0, 'test': 0}
    with contextlib.ExitStack() as stack:
        writers = {
            part: stack.enter_context(
                LMDBWriter(folder / f'{part}.lmdb', overwrite=True))
            for part in counts
        }
        for index in range(len(source)):
            label = source.label(index)
            try:
                image = source.read(index)
            except UnreadableRecordError as error:
                unreadable.append(f'{source.name(index)}: {error}')
                continue
            part = 'test' if label in held_out else 'train'
            writers[part].add(image, label)
            counts[part] += 1
        if not all(counts.values()):
            # Within the block, so that neither LMDB is left behind.
            sys.exit(f'{data} has too few labelled pictures to hold some out '
                     f'for the test: {counts["train"]} and {counts["test"]} '
                     f'of {len(source)} can be read. Two different words are '
                     'the least.')
    return unreadable


def test_labels(labels: Iterable[str]) -> Set[str]:
    """The words that are held out: a fifth of them, one at the least.

    Args:
        labels (Iterable[str]): All labels, in any order.
    """
    words = sorted(set(labels),
                   key=lambda word: hashlib.sha256(word.encode()).digest())
    return set(words[:max(1, round(TEST_SHARE * len(words)))])


class _Records:
    """The labelled records of an LMDB."""

    def __init__(self, path: Path) -> None:
        self.dataset = LabelledLMDBDataset(str(path))
        self.label = self.dataset.source.label
        self.name = self.dataset.describe

    def __len__(self) -> int:
        return len(self.dataset)

    def read(self, index: int) -> bytes:
        """The picture's bytes, if they are a picture."""
        self.dataset.load(index)
        return self.dataset.source.read(index)


class _Files:
    """Pictures of a list."""

    def __init__(self, pairs: List[Pair]) -> None:
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self.pairs)

    def label(self, index: int) -> str:
        """What the picture says."""
        return self.pairs[index][1]

    def name(self, index: int) -> str:
        """The picture's path."""
        return str(self.pairs[index][0])

    def read(self, index: int) -> bytes:
        """The picture's bytes, if they are a picture."""
        content = self.pairs[index][0].read_bytes()
        if not content or mmcv.imfrombytes(content) is None:
            raise UnreadableRecordError('it is no picture that can be read')
        return content


def read_list(path: Path, image_root: Optional[str] = None) -> List[Pair]:
    """Read a list of pictures with labels.

    Args:
        path (Path): Lines `path<TAB>label` or `path label`; JSON lines with
            `filename` and `text`; or MMOCR's JSON.
        image_root (str, optional): What paths are relative to.

    Raises:
        SystemExit: If it cannot be read, or pictures are missing (all are
            counted and some named).
    """
    root = Path(image_root) if image_root else path.parent
    try:
        pairs = [(root / name, label) for name, label in _entries(path)]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        sys.exit(f'{path} cannot be read as a list of pictures with labels: '
                 f'{error!r}. A line is `path<TAB>label`.')
    missing = [str(name) for name, _ in pairs if not name.is_file()]
    if missing or not pairs:
        listed = '\n  '.join(missing[:5])
        sys.exit(f'{path} names {len(pairs)} pictures, of which '
                 f'{len(missing)} do not exist: \n  {listed}\nName the folder '
                 'that the paths are relative to with --image-root.')
    return pairs


def _entries(path: Path) -> Iterable[Tuple[str, str]]:
    text = path.read_text(encoding='utf-8-sig')
    if path.suffix == '.json':
        for entry in json.loads(text)['data_list']:
            yield entry['img_path'], entry['instances'][0]['text']
        return
    for line in text.splitlines():
        if not line.strip():
            continue
        if path.suffix == '.jsonl':
            record = json.loads(line)
            yield record['filename'], record['text']
        else:
            name, label = line.split('\t' if '\t' in line else None, 1)
            yield name, label.strip()
