"""Which pictures the quick start trains on and which it tests on."""
import sys
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Optional

from lmim.datasets import TextImageDataset
from lmim.datasets.labels.reading import iter_labels
from lmim.datasets.records import Spec, open_sources


class Sets(NamedTuple):
    """The sets of a run.

    Attributes:
        name (str): What the table calls the test set.
        pretrain (Spec): What MAE and LMIM read.
        train (Path): LMDB with labels.
        test (Path): LMDB with labels.
    """
    name: str
    pretrain: Spec
    train: Path
    test: Path

    def counts(self) -> dict:
        """Number of pictures of each set."""
        return {part: count(getattr(self, part))
                for part in ('pretrain', 'train', 'test')}


def count(spec: Spec) -> int:
    """Number of pictures of a set; at least one can be read."""
    return len(TextImageDataset(spec))


def longest_label(sets: Sets) -> int:
    """Number of characters of the longest word of training and test."""
    return max(
        len(label.text or '') for path in (sets.train, sets.test)
        for label in iter_labels(open_sources(str(path))))


def rendered(folder: Path) -> Sets:
    """The sets that `lmim data render` makes."""
    train = folder / 'train.lmdb'
    return Sets('rendered, unseen words and fonts', str(train), train,
                folder / 'test.lmdb')


def choose(data: Optional[str], image_root: Optional[str],
           work_dir: Path) -> Sets:
    """The sets of a run; a user's may have to be split first.

    Args:
        data (str, optional): The user's pictures.
        image_root (str, optional): What paths of a list are relative to.
        work_dir (Path): Where sets that are made lie.
    """
    made = rendered(work_dir / 'data')
    if data is None:
        return made
    if is_labelled(data, image_root):
        return made._replace(name=f'{Path(data).name}, held out')
    spec = spec_of(data, image_root)
    count(spec)  # is there a picture that can be read?
    return made._replace(pretrain=spec)


def spec_of(data: str, image_root: Optional[str]) -> Spec:
    """What the reader is told of a user's pictures."""
    return data if image_root is None else dict(
        path=data, image_root=image_root)


@lru_cache(maxsize=None)  # a long list takes a while to open
def is_labelled(data: str, image_root: Optional[str] = None) -> bool:
    """Whether a user's pictures come with labels.

    Raises:
        SystemExit: If there is nothing at the path.
    """
    if not Path(data).exists():
        sys.exit(f'--data {data} does not exist. Give a folder of pictures, '
                 'an LMDB, or a list with labels.')
    return open_sources(spec_of(data, image_root)).labelled
