"""Which pictures the quick start trains on and which it tests on."""
import sys
from pathlib import Path
from typing import NamedTuple, Optional

from lmim.datasets import LabelledLMDBDataset, UnlabelledTextDataset
from lmim.datasets.sources import UnreadableRecordError


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


def longest_label(sets: Sets) -> int:
    """Number of characters of the longest word of training and test."""
    longest = 0
    for path in (sets.train, sets.test):
        source = LabelledLMDBDataset(str(path)).source
        longest = max(longest, *(len(source.label(index) or '')
                                 for index in range(len(source))))
    return longest


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
    count(Path(data))  # is there a picture that can be read?
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
