"""Which pictures the quick start trains on and which it tests on."""
import contextlib
import sys
from functools import lru_cache
from pathlib import Path
from typing import List, NamedTuple, Optional, Set

from lmim.datasets import TextImageDataset
from lmim.datasets.decoding import decode_image
from lmim.datasets.labels.reading import iter_labels
from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.datasets.records import Spec, UnreadableRecordError, open_sources
from lmim.datasets.splitting import part_of, word_key
from lmim.utils.progress import track

#: Share of a user's labelled pictures that the test gets.
TEST_SHARE = 0.2


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


def split(data: Spec, folder: Path) -> List[str]:
    """Split labelled pictures into a part to train on and one to test on.

    The part depends on the label, so that no word of the test is trained on.

    Args:
        data (Spec): The pictures.
        folder (Path): Where train.lmdb and test.lmdb are made.

    Returns:
        List[str]: What could not be read, named.

    Raises:
        SystemExit: If either part would be empty.
    """
    source = open_sources(data)
    held_out = test_words({word_key(label.text)
                           for label in iter_labels(source)
                           if label.text is not None})
    unreadable: List[str] = []
    counts = {'train': 0, 'test': 0}
    with contextlib.ExitStack() as stack:
        writers = {
            part: stack.enter_context(
                LMDBWriter(folder / f'{part}.lmdb', overwrite=True))
            for part in counts
        }
        for label in track(iter_labels(source), len(source), 'splitting'):
            try:
                if label.text is None:
                    raise UnreadableRecordError(
                        label.problem or 'it has no label')
                image = source.read(label.number)
                decode_image(image)
            except UnreadableRecordError as error:
                unreadable.append(f'{label.picture}: {error}')
                continue
            part = 'test' if word_key(label.text) in held_out else 'train'
            writers[part].add(image, label.text)
            counts[part] += 1
        if not all(counts.values()):
            # Within the block, so that neither LMDB is left behind.
            sys.exit(f'{source.path} has too few labelled pictures to hold '
                     f'some out for the test: {counts["train"]} and '
                     f'{counts["test"]} of {len(source)} can be read. Two '
                     'different words are the least.' +
                     ''.join(f'\n  {name}' for name in unreadable[:5]))
    return unreadable


def test_words(words: Set[bytes]) -> Set[bytes]:
    """The words that are held out: about a fifth, and at least one of two.

    Args:
        words (Set[bytes]): The :func:`~lmim.datasets.splitting.word_key` of
            each.
    """
    held_out: Set[bytes] = set()
    number = 0
    # Of few words chance may hold out none, or all.
    while len(words) > 1 and not 0 < len(held_out) < len(words):
        held_out = {word for word in words
                    if part_of(word, TEST_SHARE, f'quick start {number}')}
        number += 1
    return held_out
