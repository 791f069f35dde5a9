"""Where characters are: by hand-made columns and maps, through all that is
done to a picture before it is read."""
from pathlib import Path
from typing import Any, Callable, List

import cv2
import numpy as np
import pytest
import torch

from lmim.apis import Recognition, TextRecognizer
from lmim.apis.char_boxes import (boxes_of_attention, boxes_of_columns,
                                  in_pixels)
from tests.tool_runs import mini_config

from .conftest import draw, write_checkpoint

SIZE = (60, 200)  # height and width of a picture
#: Of the tests' recognizer: what it writes, and in which of 32 columns.
TEXT, PLACES = 'word', [2, 10, 20, 28]


def test_borders_are_half_way() -> None:
    found = boxes_of_columns([.25, .5, .625])
    assert found.tolist() == [
        [.125, 0., .375, 1.], [.375, 0., .5625, 1.], [.5625, 0., .6875, 1.]]
    assert boxes_of_columns([.1]).tolist() == [[0., 0., 1., 1.]]
    assert boxes_of_columns([]).shape == (0, 4)


def test_even_attention_to_a_rectangle_is_that_rectangle() -> None:
    maps = np.zeros((3, 4, 8), np.float32)
    maps[0, 1, 2] = 1
    maps[1, 2:, 4:7] = 1 / 6
    maps[2] = 1 / 32
    np.testing.assert_allclose(boxes_of_attention(maps), [
        [2 / 8, 1 / 4, 3 / 8, 2 / 4], [4 / 8, 2 / 4, 7 / 8, 1.],
        [0., 0., 1., 1.]], atol=1e-6)


@pytest.mark.parametrize('turns', range(4))
def test_a_turn_is_undone(turns: int) -> None:
    """Of a dot that is looked for in the turned picture."""
    picture = np.zeros((*SIZE, 1), np.uint8)
    picture[10:20, 150:180] = 1
    rows, columns = np.nonzero(np.rot90(picture, turns)[..., 0])
    height, width = np.rot90(picture, turns).shape[:2]
    # Half of the prepared picture is padding.
    box = np.array([[columns.min() / width / 2, rows.min() / height,
                     (columns.max() + 1) / width / 2,
                     (rows.max() + 1) / height]])
    assert in_pixels(box, .5, turns, SIZE) == [
        pytest.approx([150, 10, 180, 20])]


def test_boxes_end_with_the_picture() -> None:
    assert in_pixels(np.array([[-.1, 0., .2, 1.], [.4, 0., .7, 1.]]), .5, 0,
                     SIZE) == [pytest.approx([0, 0, 80, 60]),
                               pytest.approx([160, 0, 200, 60])]


def with_columns(path: Path, monkeypatch: pytest.MonkeyPatch,
                 **options: Any) -> TextRecognizer:
    """Reads by hand-made columns: :data:`TEXT` where the left half of a
    picture is darker than the right, and else the same, less surely."""
    recognizer = TextRecognizer(path, device='cpu', batch_size=3, **options)
    known = recognizer.model.decoder.dictionary
    sizes: List[int] = []

    def forward_test(feat: Any, out_enc: Any = None,
                     data_samples: Any = None) -> torch.Tensor:
        images = recognizer.inputs  # type: ignore[attr-defined]
        sizes.append(len(images))
        probs = torch.zeros(len(images), 32, known.num_classes)
        for row, image in zip(probs, images):
            half = image.shape[-1] // 2
            sure = float(image[..., :half].mean() < image[..., half:].mean())
            row[:, known.padding_idx] = 1
            for char, place in zip(TEXT, PLACES):
                row[place] = 0
                row[place, known.char2idx(char)] = .5 + .4 * sure
                row[place, known.padding_idx] = .5 - .4 * sure
            # 'w' is seen in two columns.
            row[PLACES[0] + 1] = row[PLACES[0]]
        return probs

    def extract_feat(inputs: torch.Tensor) -> torch.Tensor:
        recognizer.inputs = inputs  # type: ignore[attr-defined]
        return inputs

    monkeypatch.setattr(recognizer.model, 'extract_feat', extract_feat)
    monkeypatch.setattr(recognizer.model.decoder, 'forward_test',
                        forward_test)
    recognizer.sizes = sizes  # type: ignore[attr-defined]
    return recognizer


def half_dark(turns: int) -> np.ndarray:
    """A picture whose text is to be read when it is turned so often."""
    picture = np.full((*SIZE, 3), 220, np.uint8)
    picture[:, :SIZE[1] // 2] = 30
    return np.rot90(picture, -turns).copy()


def test_boxes_follow_the_columns_through_resize_and_turn(
        make_checkpoint: Callable[[str], Path],
        monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer = with_columns(make_checkpoint('textrecog/ctc'), monkeypatch,
                              orientation='auto', char_boxes=True)
    # The turn is found where it is tried: by 90 of tall pictures only.
    words = recognizer([half_dark(turns) for turns in range(4)])
    assert [word.rotation for word in words] == [0, 90, 180, 270]
    # Two copies of each, four of the tall ones, three at a time; not again
    # for the boxes.
    assert recognizer.sizes == [3, 3, 2, 3, 1]  # type: ignore[attr-defined]
    height, width = SIZE
    middles = [(place + .5) * width / 32 for place in PLACES]
    middles[0] += width / 64
    for word in words:
        assert word.text == TEXT and word.char_boxes is not None
        assert word.to_dict()['rotation'] == word.rotation
        for box, middle, before, after in zip(
                word.char_boxes, middles, [None, *middles], middles[1:]):
            left = (middle + before) / 2 if before else max(
                0, middle - (after - middle) / 2)
            right = (middle + after) / 2
            assert box == pytest.approx({
                0: [left, 0, right, height],
                90: [0, left, height, right],
                180: [width - right, 0, width - left, height],
                270: [0, width - right, height, width - left]
            }[word.rotation], abs=.01)
    assert words[0].char_boxes is not None
    assert words[0].char_boxes[3] == pytest.approx(
        [sum(middles[2:]) / 2, 0, width, height])  # it ends with the picture
    upright = with_columns(make_checkpoint('textrecog/ctc'), monkeypatch)
    word, = upright(half_dark(2))
    assert (word.rotation, word.char_boxes) == (None, None)
    # In either of two columns, or in both; and three letters.
    assert word.score == pytest.approx(.75 * .5**3)
    assert upright.sizes == [1]  # type: ignore[attr-defined]


def test_the_surest_word_is_kept_whatever_its_length() -> None:
    long = Recognition('abcdefgh', .9**8, [.9] * 8, 'x')
    short = Recognition('ab', .8**2, [.8] * 2, 'x')
    empty = Recognition('', .99, [], 'x')
    assert long.score < short.score
    assert [word.confidence for word in (long, short, empty)] == [
        pytest.approx(.9), pytest.approx(.8), 0.]


@pytest.mark.parametrize('model', ['transformer', 'parallel', 'abinet'])
def test_boxes_are_where_the_decoder_looks(
        make_checkpoint: Callable[[str], Path], images: List[np.ndarray],
        model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer = TextRecognizer(make_checkpoint(f'textrecog/{model}'),
                                device='cpu', batch_size=4, char_boxes=True)
    plain = TextRecognizer(make_checkpoint(f'textrecog/{model}'),
                           device='cpu')(images)
    words = recognizer(images)
    assert [word.text for word in words] == [word.text for word in plain]
    if model == 'abinet':  # it does not tell
        assert {word.char_boxes for word in words} == {None}
        assert 'char_boxes' not in words[0].to_dict()
        return
    for word, image in zip(words, images):
        boxes = np.array(word.char_boxes)
        assert boxes.shape == (len(word.text), 4) and len(boxes)
        assert (boxes[:, :2] < boxes[:, 2:]).all() and boxes.min() >= 0
        assert (boxes[:, 2:] <= image.shape[1::-1]).all()

    def looks(model: Any, inputs: Any, samples: Any) -> List[np.ndarray]:
        """To the n-th patch of the first row at the n-th character."""
        return [np.eye(len(sample.pred_text.item), 8 * 32, dtype=np.float32)
                .reshape(-1, 8, 32) for sample in samples]

    monkeypatch.setattr('lmim.apis.recognizer.character_attention', looks)
    word, = recognizer(images[1])
    wide, high = images[1].shape[1] / 32, images[1].shape[0] / 8
    assert word.char_boxes == [
        pytest.approx([n * wide, 0, (n + 1) * wide, high], abs=1e-3)
        for n in range(len(word.text))]


def test_padding_is_no_part_of_the_picture(tmp_path: Path) -> None:
    """A narrow picture, padded to four times its width."""
    config = tmp_path / 'padded.py'
    config.write_text("""
_base_ = '%s'
test_pipeline = [
    dict(type='RescaleToHeight', height=32, min_width=8, max_width=128),
    dict(type='PadToWidth', width=128),
    dict(type='PackTextRecogInputs')]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
""" % mini_config('textrecog/ctc'))
    recognizer = TextRecognizer(write_checkpoint(
        tmp_path / 'padded.pth', config), device='cpu', char_boxes=True)
    picture = cv2.resize(draw('a'), (64, 64))
    word, = recognizer(picture)
    assert word.char_boxes is not None and len(word.text) > 1
    sample, = recognizer._predict(recognizer.prepare([picture]))
    assert sample.valid_ratio == .25
    for box, center in list(zip(word.char_boxes,
                                sample.pred_text.centers))[1:-1]:
        assert box[0] < 4 * 64 * center < box[2] <= 64


def test_what_moves_places_leaves_none(make_checkpoint: Callable[[str], Path],
                                       images: List[np.ndarray]) -> None:
    recognizer = TextRecognizer(make_checkpoint('textrecog/ctc'),
                                device='cpu', char_boxes=True)
    assert all(word.char_boxes for word in recognizer(images) if word.text)
    recognizer._preprocess.keeps_places = False  # as by a crop
    assert {word.char_boxes for word in recognizer(images)} == {None}


def test_another_orientation_is_refused(checkpoint: Path) -> None:
    with pytest.raises(ValueError, match="is one of .*'auto'.*not 'left'"):
        TextRecognizer(checkpoint, device='cpu', orientation='left')
