"""The sets of a comparison: what is trained on and what is tested on."""
import random
import re
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Set

from lmim.datasets.decoding import decode_image
from lmim.datasets.labels.reading import Label, iter_labels
from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.datasets.records import UnreadableRecordError, open_sources
from lmim.datasets.splitting import part_of, word_key
from lmim.utils.atomic import write_atomic
from lmim.utils.errors import UserError, some
from lmim.utils.progress import track

from .protocol import Paths, Protocol

#: Stages of a comparison: decisions rest on held-out words; the test sets are
#: looked at once, by recognizers trained on all words.
DECIDE, FINAL = 'decide', 'final'
#: What the held-out words are called among the sets.
HELD_OUT = 'held-out'


class Sets(NamedTuple):
    """The sets of a comparison.

    Attributes:
        stage (str): ``'decide'`` or ``'final'``.
        train (Dict[str, Path]): LMDBs with labels, by the name of the
            number of labels.
        tests (Dict[str, Paths]): Test sets by name.
    """
    stage: str
    train: Dict[str, Path]
    tests: Dict[str, Paths]


def prepare(protocol: Protocol, work_dir: Path, final: bool) -> Sets:
    """Split and draw the labelled words; each set is made once.

    Args:
        protocol (Protocol): What is compared.
        work_dir (Path): Where sets that are made lie, in ``data``.
        final (bool): Whether to train on all words and test on the test
            sets; otherwise words are held out, which are the test.

    Raises:
        UserError: If there are fewer words than labels asked for.
    """
    folder = work_dir / 'data'
    held_out = 0. if final and protocol.tests else protocol.held_out
    kept = training_set(held_out)
    everything = folder / f'{kept}.lmdb'

    test_words = held_out_words(
        {word_key(label.text) for label in iter_labels(
            open_sources(protocol.labelled)) if label.text is not None},
        held_out) if held_out else set()

    def is_held_out(label: Label) -> bool:
        return word_key(label.text or '') in test_words

    copy_records(protocol.labelled, everything,
                 lambda label: not is_held_out(label))
    train = {}
    total = len(open_sources(str(everything)))
    order = random.Random(0).sample(range(total), total)
    for count in protocol.labels:
        if count.words is None or count.words == total:
            train[count.name] = everything
            continue
        if count.words > total:
            raise UserError(f'{count.words} labels are asked for, and there '
                            f'are {total} labelled words to train on')
        train[count.name] = folder / f'{kept}-{count.name}.lmdb'
        # A smaller set is part of a larger one.
        copy_records(str(everything), train[count.name], partial(
            lambda drawn, label: label.number in drawn,
            set(order[:count.words])))
    if held_out:
        test = folder / f'held-out-{held_out:g}.lmdb'
        copy_records(protocol.labelled, test, is_held_out)
        return Sets(DECIDE, train, {HELD_OUT: str(test)})
    tests: Dict[str, Paths] = {}
    for name, place in protocol.tests.items():
        if isinstance(place, dict) and 'words' in place:
            tests[name] = str(folder / f'test-{name}.lmdb')
            copy_records(place['path'], folder / f'test-{name}.lmdb', partial(
                lambda pattern, label: pattern.fullmatch(label.text or ''),
                re.compile(place['words'])))
        else:
            tests[name] = place
    return Sets(FINAL, train, tests)


def training_set(held_out: float) -> str:
    """The name of the set that is trained on, without a part held out."""
    return f'all-but-{held_out:g}' if held_out else 'all'


def held_out_words(words: Set[bytes], share: float) -> Set[bytes]:
    """Draw about a share of words to hold out, of two at least one.

    Words are their :func:`~lmim.datasets.splitting.word_key`.
    """
    found: Set[bytes] = set()
    number = 0
    # Of few words chance may hold out none, or all.
    while len(words) > 1 and not 0 < len(found) < len(words):
        found = {word for word in words
                 if part_of(word, share, f'comparison {number}')}
        number += 1
    return found


def copy_records(paths: Paths, to: Path,
                 keep: Callable[[Label], object]) -> None:
    """Copy the records whose labels are kept into an LMDB, once.

    Pictures that cannot be read are left out, counted and named.
    """
    if to.exists():
        return
    source = open_sources(paths)
    unreadable = []
    with LMDBWriter(to) as writer:
        for label in track(iter_labels(source), len(source),
                           f'making {to.name}'):
            if label.text is None:
                unreadable.append(f'{source.name(label.number)}: '
                                  f'{label.problem or "it has no label"}')
                continue
            if not keep(label):
                continue
            try:
                image = source.read(label.number)
                decode_image(image)
            except UnreadableRecordError as error:
                unreadable.append(f'{source.name(label.number)}: {error}')
                continue
            writer.add(image, label.text)
        if not writer.count:
            # Within the block, so that no empty LMDB is left behind.
            raise UserError(
                f'{to.name} would be empty: none of the {len(source)} '
                f'pictures of {source.path} belongs to it. Few words cannot '
                'be split; give more, or another held_out')
    if unreadable:
        write_atomic(to.with_suffix('.unreadable.txt'),
                     '\n'.join(unreadable).encode())
        print(f'{len(unreadable)} pictures of {source.path} cannot be read '
              f'and are left out, {some(unreadable, 3)}; all are named in '
              f'{to.with_suffix(".unreadable.txt")}')


def longest_label(sets: Sets) -> int:
    """Number of characters of the longest word of training and test."""
    paths: List[Any] = [*map(str, sets.train.values()), *sets.tests.values()]
    return max(len(label.text or '') for path in paths
               for label in iter_labels(open_sources(path)))
