"""Reading pictures as wide as their shape says."""
from pathlib import Path
from typing import Any, Callable, List

import numpy as np
import pytest

from lmim.apis import TextRecognizer
from lmim.checkpoints import CheckpointError
from lmim.utils.errors import UserError

from .conftest import draw
from .test_recognizer import same

#: Of pictures (36, 16 + 20 n), read 64 to 384 wide.
WIDE = [draw(word) for word in ('a', 'abc', 'abcdefghijklmn', 'b' * 40, 'def')]
WIDTHS = [64, 68, 264, 384, 68]


def widths_of(recognizer: TextRecognizer) -> List[int]:
    return [one.shape[2] for one in recognizer.prepare(WIDE)['inputs']]


@pytest.mark.parametrize('model', ['ctc', 'transformer', 'parallel'])
def test_a_picture_is_read_as_in_any_company(
        make_checkpoint: Callable[[str], Path], model: str) -> None:
    recognizer = TextRecognizer(make_checkpoint(f'textrecog/{model}'),
                                device='cpu', width='64-384')
    assert widths_of(recognizer) == WIDTHS
    singly = [recognizer(image)[0] for image in WIDE]
    assert len({tuple(word.char_scores) for word in singly}) == 5
    words = recognizer(WIDE)
    # No other of this width: the very same numbers.
    for number in (0, 2, 3):
        assert words[number].char_scores == singly[number].char_scores
    same(words, singly)
    # What MMOCR's test does with a batch of several widths.
    samples = recognizer.model.test_step(recognizer.prepare(WIDE))
    assert [sample.pred_text.item for sample in samples] == [
        word.text for word in singly]


def test_batches_of_one_width_are_made_of_several_batches(
        make_checkpoint: Callable[[str], Path],
        monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer = TextRecognizer(make_checkpoint('textrecog/ctc'),
                                device='cpu', width='64-384', batch_size=2)
    read: List[Any] = []
    predict = recognizer._predict
    monkeypatch.setattr(recognizer, '_predict', lambda data: (
        read.append([one.shape[2] for one in data['inputs']])
        or predict(data)))
    words = recognizer([WIDE[1], WIDE[2]] * 3)
    assert read == [[68, 68], [68], [264, 264], [264]]
    assert [word.text for word in words] == [
        word.text for word in recognizer([WIDE[1], WIDE[2]])] * 3


@pytest.mark.parametrize('width, expected', [
    (None, [128] * 5), ('auto', [128, 128, 264, 384, 128]),
    ('128', [128] * 5), ('96', [96] * 5),
    ('100-200', [100, 100, 200, 200, 100])])
def test_widths_may_be_given(make_checkpoint: Callable[[str], Path],
                             width: Any, expected: List[int]) -> None:
    recognizer = TextRecognizer(make_checkpoint('textrecog/ctc'),
                                device='cpu', width=width)
    assert widths_of(recognizer) == expected
    assert len(recognizer(WIDE)) == 5


def test_one_width_is_what_is_read_without_any(
        make_checkpoint: Callable[[str], Path]) -> None:
    plain, fixed = (TextRecognizer(make_checkpoint('textrecog/transformer'),
                                   device='cpu', width=width)
                    for width in (None, '128'))
    assert plain(WIDE) == fixed(WIDE)


def test_boxes_lie_in_the_wide_picture(
        make_checkpoint: Callable[[str], Path]) -> None:
    for model in ('ctc', 'transformer'):
        recognizer = TextRecognizer(make_checkpoint(f'textrecog/{model}'),
                                    device='cpu', width='auto',
                                    char_boxes=True)
        word, = recognizer(WIDE[2])
        assert word.char_boxes and len(word.char_boxes) == len(word.text)
        assert 0 <= np.min(word.char_boxes)
        assert 128 < np.max(word.char_boxes) <= WIDE[2].shape[1]


def test_longer_words_are_written_where_there_are_positions(
        make_checkpoint: Callable[[str], Path]) -> None:
    path = make_checkpoint('textrecog/transformer')
    short, long = (TextRecognizer(path, device='cpu', max_length=length)
                   for length in (5, 40))
    assert long.model.decoder.max_seq_len == 40
    assert long.model.decoder.module_loss.max_seq_len == 40
    # Each character depends on those before it alone.
    for one, other in zip(short(WIDE), long(WIDE)):
        assert one.text == other.text[:5]
    assert max(len(word.text) for word in long(WIDE)) > 8
    TextRecognizer(make_checkpoint('textrecog/ctc'), max_length=99)
    for folder, length in (('transformer', 201), ('parallel', 40)):
        with pytest.raises(CheckpointError, match='max_seq_len='):
            TextRecognizer(make_checkpoint(f'textrecog/{folder}'),
                           max_length=length)


def test_what_is_no_width_is_refused(
        make_checkpoint: Callable[[str], Path]) -> None:
    for width, message in (('wide', "is 'auto', MIN-MAX"),
                           ('30-90', 'multiples of the 4 columns'),
                           ('128-64', 'multiples of the 4 columns')):
        with pytest.raises(UserError, match=message):
            TextRecognizer(make_checkpoint('textrecog/ctc'), width=width)
    for folder in ('abinet', 'master'):
        with pytest.raises(UserError, match='a place for each column'):
            TextRecognizer(make_checkpoint(f'textrecog/{folder}'),
                           width='auto')
