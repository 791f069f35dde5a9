"""The sets of a comparison: disjoint words, nested numbers of labels."""
from pathlib import Path
from typing import Any, List

import cv2
import numpy as np
import pytest

from lmim.comparison.data import (HELD_OUT, held_out_words, longest_label,
                                  prepare)
from lmim.comparison.protocol import LabelCount, Protocol
from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.datasets.records import open_sources
from lmim.utils.errors import UserError

WORDS = [f'word{number // 2}' for number in range(120)]


def labels_of(path: Any) -> List[str]:
    source = open_sources(str(path))
    return [source.label(index) for index in range(len(source))]


def write(path: Path, words: List[str], broken: int = -1) -> str:
    image = cv2.imencode('.png', np.zeros((8, 20, 3), np.uint8))[1].tobytes()
    with LMDBWriter(path) as writer:
        for number, word in enumerate(words):
            writer.add(b'no image' if number == broken else image, word)
    return str(path)


@pytest.fixture
def protocol(tmp_path: Path) -> Protocol:
    return Protocol(
        methods={}, compared=[], seeds=[0], unlabelled='',
        labels=[LabelCount(10, 2), LabelCount(30, 2), LabelCount(None, 2)],
        labelled=write(tmp_path / 'words.lmdb', WORDS, broken=7),
        tests=dict(
            whole=write(tmp_path / 'test.lmdb', ['a-b', 'abc', 'ab', 'a1b2']),
            part=dict(path=str(tmp_path / 'test.lmdb'),
                      words='[A-Za-z0-9]{3,}')),
        held_out=0.2, views=1, batch_size=1, options={}, recognizer=Path(),
        recognizer_batch_size=1, recognizer_options={})


def test_decisions_rest_on_words_that_are_not_trained_on(protocol, tmp_path,
                                                         capsys):
    sets = prepare(protocol, tmp_path / 'work', final=False)
    assert sets.stage == 'decide' and list(sets.tests) == [HELD_OUT]
    train, test = labels_of(sets.train['all']), labels_of(
        sets.tests[HELD_OUT])
    assert len(train) + len(test) == 119  # one picture cannot be read
    assert set(train) | set(test) == set(WORDS)
    assert not set(train) & set(test) and 5 < len(test) < 50
    few, more = labels_of(sets.train['10']), labels_of(sets.train['30'])
    assert (len(few), len(more)) == (10, 30)
    assert not set(more) - set(train)
    # A smaller set is part of a larger one.
    assert all(more.count(word) >= few.count(word) for word in few)
    assert '1 pictures of' in capsys.readouterr().out
    assert longest_label(sets) == len('word59')


def test_final_figures_are_of_all_words_and_the_published_tests(
        protocol, tmp_path):
    sets = prepare(protocol, tmp_path / 'work', final=True)
    assert sets.stage == 'final'
    assert len(labels_of(sets.train['all'])) == 119
    assert labels_of(sets.tests['whole']) == ['a-b', 'abc', 'ab', 'a1b2']
    assert labels_of(sets.tests['part']) == ['abc', 'a1b2']


def test_more_labels_than_there_are_is_refused(protocol, tmp_path):
    with pytest.raises(UserError, match='500 labels are asked .* 119'):
        prepare(protocol._replace(labels=[LabelCount(500, 1)]),
                tmp_path / 'work', final=True)
    with pytest.raises(UserError, match='would be empty'):
        prepare(protocol._replace(
            tests=dict(none=dict(path=protocol.tests['whole'], words='x'))),
            tmp_path / 'work', final=True)


def test_about_the_share_of_the_words_is_held_out():
    words = {b'word%d' % number for number in range(1000)}
    assert 160 < len(held_out_words(words, 0.2)) < 240
    for number in range(20):  # of two words always one
        assert len(held_out_words({b'%d' % number, b'other'}, 0.2)) == 1
    assert held_out_words({b'one'}, 0.2) == held_out_words(set(), 0.2) == set()
