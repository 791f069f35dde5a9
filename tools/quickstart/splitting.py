"""A user's labelled pictures, split into training and test."""
import contextlib
import sys
from pathlib import Path
from typing import List, Set

from lmim.datasets.decoding import decode_image
from lmim.datasets.labels.reading import iter_labels
from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.datasets.records import Spec, UnreadableRecordError, open_sources
from lmim.datasets.splitting import part_of, word_key
from lmim.utils.progress import track

TEST_SHARE = 0.2


def split(data: Spec, folder: Path) -> List[str]:
    """Split labelled pictures into a part to train on and one to test on.

    The part hangs on the label, so that no word of the test is trained on.

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
