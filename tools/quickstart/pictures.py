"""Which pictures the quick start trains on and which it tests on."""
import json
import sys
from pathlib import Path
from typing import Iterable, List, NamedTuple, Optional, Tuple

from lmim.datasets import LabelledLMDBDataset, UnlabelledTextDataset
from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.datasets.rendering import part_of_word
from lmim.datasets.sources import UnreadableRecordError

Pair = Tuple[Path, str]
TEST_SHARE = 0.2


class Sets(NamedTuple):
    """The sets of a run.

    Attributes:
        name (str): What the table calls the test set.
        pretrain (Path): LMDB or folder for MAE and LMIM.
        train (Path): LMDB with labels.
        test (Path): LMDB with labels.
    """
    name: str
    pretrain: Path
    train: Path
    test: Path

    def counts(self) -> dict:
        """Number of pictures of each set."""
        return {part: count(getattr(self, part))
                for part in ('pretrain', 'train', 'test')}


def count(path: Path) -> int:
    """Number of pictures of an LMDB or a folder."""
    return len(UnlabelledTextDataset(str(path)))


def rendered(folder: Path) -> Sets:
    """The sets that `tools/data.py render` makes."""
    return Sets('rendered, unseen words and fonts', folder / 'train.lmdb',
                folder / 'train.lmdb', folder / 'test.lmdb')


def choose(data: Optional[str], work_dir: Path) -> Sets:
    """The sets of a run; a user's may have to be split first.

    Args:
        data (str, optional): The user's pictures.
        work_dir (Path): Where sets that are made lie.
    """
    if data is None:
        return rendered(work_dir / 'data')
    name = Path(data).name
    if is_labelled(Path(data)):
        made = work_dir / 'data'
        return Sets(f'{name}, held out', made / 'train.lmdb',
                    made / 'train.lmdb', made / 'test.lmdb')
    return rendered(work_dir / 'data')._replace(pretrain=Path(data))


def is_labelled(path: Path) -> bool:
    """Whether a user's pictures come with labels.

    Raises:
        SystemExit: If there is nothing at the path.
    """
    if not path.exists():
        sys.exit(f'--data {path} does not exist. Give a folder of pictures, '
                 'an LMDB, or a list with labels.')
    if path.is_file():
        return True
    if not (path / 'data.mdb').is_file():
        return False
    try:
        LabelledLMDBDataset(str(path)).get_data_info(0)
    except (UnreadableRecordError, ValueError):
        return False
    return True


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
    unreadable: List[str] = []
    records = (_records(data, unreadable) if data.is_dir() else
               ((path.read_bytes(), label)
                for path, label in read_list(data, image_root)))
    parts: dict = {'train': [], 'test': []}
    for image, label in records:
        parts[part_of_word(label, TEST_SHARE)].append((image, label))
    empty = [part for part, found in parts.items() if not found]
    if empty:
        number = sum(map(len, parts.values()))
        sys.exit(f'{data} has {number} labelled pictures that can be read, '
                 f'too few to split: none is left for the {empty[0]} part.')
    for part, found in parts.items():
        with LMDBWriter(folder / f'{part}.lmdb', overwrite=True) as writer:
            for image, label in found:
                writer.add(image, label)
    return unreadable


def _records(path: Path,
             unreadable: List[str]) -> Iterable[Tuple[bytes, str]]:
    """Picture and label of each record of an LMDB."""
    dataset = LabelledLMDBDataset(str(path))
    for index in range(len(dataset)):
        try:
            info = dataset.load(index)
        except UnreadableRecordError as error:
            unreadable.append(f'{dataset.describe(index)}: {error}')
            continue
        yield dataset.source.read(index), info['instances'][0]['text']


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
