"""`label` and `language`: what a recognizer and words give."""
from pathlib import Path
from typing import Any

import numpy as np

from lmim.apis import TextRecognizer
from lmim.datasets.records import open_sources
from lmim.utils.ctc_language import CharacterNGrams
from tests.apis.conftest import png
from tests.datasets.make_lmdb import make_lmdb
from tests.documents import DOCS

SIGN = (DOCS / 'images/sign.png').read_bytes()


def test_what_is_read_surely_is_kept(run: Any, report: Any,
                                     tmp_path: Path) -> None:
    noise = png(np.random.default_rng(0).integers(
        0, 256, (32, 100, 3), np.uint8))
    source = make_lmdb(tmp_path / 'in.lmdb',
                       [noise, SIGN, b'no picture', SIGN, SIGN])
    unsure, sign = TextRecognizer(device='cpu')(source)[:2]
    assert unsure.score < .5 < sign.score < .99
    out = tmp_path / 'out.lmdb'
    args = ('label', source, out, '--device', 'cpu', '--min-score')
    status, result = run(*args, .5)
    assert status == 0
    assert [result[key] for key in ('records', 'labelled', 'unsure', 'empty')
            ] == [5, 3, bool(unsure.text), not unsure.text]
    assert result['skipped']['total'] == 1
    made = open_sources(str(out))
    assert [made.label(n) for n in range(len(made))] == [sign.text] * 3
    assert made.read(0) == SIGN
    told = report(*args, .5, '--overwrite')
    assert '3 of 5 are read with a probability of 0.5 or more' in told
    for number, message in (
            (.99, 'none of 5 pictures gets a label: 1 cannot be read'),
            (2, 'from 0 to 1')):
        status, result = run(*args, number, '--overwrite')
        assert status == 1 and message in result['error']
    assert len(open_sources(str(out))) == 3  # it stays
    assert 'exists' in run(*args, .5)[1]['error']


def test_letters_are_counted(run: Any, report: Any, tmp_path: Path) -> None:
    words, more = tmp_path / 'words.txt', tmp_path / 'more.txt'
    words.write_text('abc\nabd\n')
    more.write_text('abc\t2\nx-1\n')
    out = tmp_path / 'made/abc.npz'
    status, result = run('language', words, more, out, '--length', 2)
    assert status == 0
    assert (result['words'], result['symbols']) == (3, '.0abcdx')
    held = CharacterNGrams.load(out)
    same = CharacterNGrams.count({'abc': 3, 'abd': 1, 'x-1': 1}, 2)
    assert np.array_equal(held.costs, same.costs)
    told = report('language', words, more, out, '--length', 2, '--overwrite')
    assert ('3 words of 7 symbols (.0abcdx): '
            f'{len(held.contexts)} contexts') in told
    for args, message in (((words, out), 'exists'),
                          ((words, 'x.txt'), 'name it so'),
                          ((tmp_path / 'no', 'x.npz'), 'do not exist')):
        assert message in run('language', *args)[1]['error']
    words.write_text(' \n')
    assert 'no word' in run('language', words, tmp_path / 'x.npz')[1]['error']
    assert '--least is' in run('language', more, tmp_path / 'x.npz',
                               '--least', 'nan')[1]['error']
    words.write_text(''.join(f'{chr(n)}\n' for n in range(0x4e00, 0x4f00)))
    status, result = run('language', words, tmp_path / 'x.npz')
    assert status == 1 and 'not Chinese or Hangul' in result['error']

