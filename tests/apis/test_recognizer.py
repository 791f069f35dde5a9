"""Reading: what MMEngine's own test gives, whatever the batch."""
import itertools
from pathlib import Path
from typing import Any, Callable, List

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from lmim.apis.loading import build_model
from lmim.datasets import TextImageDataset
from lmim.datasets.records import UnreadableRecordError
from lmim.apis import Recognition, TextRecognizer
from tests.tool_runs import mini_config

from .conftest import draw, png, write_checkpoint


def same(one: List[Recognition], other: List[Recognition],
         within: float = 1e-5) -> None:
    """Same texts, and scores that differ by rounding alone."""
    assert [word.text for word in one] == [word.text for word in other]
    for a, b in zip(one, other):
        assert a.score == pytest.approx(b.score, abs=within)
        assert a.char_scores == pytest.approx(b.char_scores, abs=within)


def test_it_reads_what_the_test_of_the_config_reads(
        recognizer: TextRecognizer, checkpoint: Path, folder: Path) -> None:
    cfg = Config.fromfile(mini_config('textrecog/transformer'))
    dataset = TextImageDataset(
        str(folder / 'words.lmdb'), with_text=True, test_mode=True,
        pipeline=[dict(step, _scope_='mmocr')
                  for step in cfg.test_dataloader.dataset.pipeline])
    model: Any = build_model(cfg.model.to_dict(), empty=False)
    model.load_state_dict(torch.load(checkpoint)['state_dict'])
    with torch.no_grad():
        expected = model.eval().test_step(
            pseudo_collate([dataset[n] for n in range(len(dataset))]))
    words = recognizer(folder / 'words.lmdb')
    assert len({word.text for word in words}) >= 4
    assert [word.text for word in words] == [
        sample.pred_text.item for sample in expected]
    for word, sample in zip(words, expected):
        assert word.score == pytest.approx(
            sample.pred_text.word_score, abs=1e-6)
        assert word.char_scores == pytest.approx(
            sample.pred_text.score, abs=1e-6)
        assert len(word.char_scores) == len(word.text)


def test_a_model_that_overflows_reads_nothing(
        checkpoint: Path, tmp_path: Path, images: List[np.ndarray]) -> None:
    held = torch.load(checkpoint)
    held['state_dict']['decoder.classifier.weight'].mul_(1e38)
    torch.save(held, tmp_path / 'large.pth')
    words = TextRecognizer(tmp_path / 'large.pth', device='cpu')(images)
    for word in words:
        assert (word.text, word.score) == ('', 0.)
        assert 'its weights overflow' in str(word.error)


@pytest.mark.parametrize('model', ['transformer', 'crnn', 'abinet'])
def test_batches_change_nothing(make_checkpoint: Callable[[str], Path],
                                images: List[np.ndarray],
                                model: str) -> None:
    recognizer = TextRecognizer(
        make_checkpoint(f'textrecog/{model}'), device='cpu', batch_size=1)
    singly = recognizer(images)
    assert len({word.text for word in singly}) >= 3
    for batch_size in (3, 64):
        recognizer.batch_size = batch_size
        same(recognizer(images), singly)
    same(recognizer(images[::-1])[::-1], singly)
    if model != 'transformer':  # no score of the word but the product
        assert singly[0].score == pytest.approx(
            float(np.prod(singly[0].char_scores)), rel=1e-6)


def test_pictures_of_other_widths_are_not_padded(tmp_path: Path) -> None:
    """MMOCR's own CRNN: grey, 32 pixels high, as wide as they are."""
    path = tmp_path / 'crnn.py'
    path.write_text("_base_ = 'mmocr::textrecog/crnn/crnn_mini-vgg_5e_mj.py'")
    recognizer = TextRecognizer(
        write_checkpoint(tmp_path / 'crnn.pth', path, std=0.05), path,
        device='cpu')
    images = [draw(word) for word in
              ('a', 'LMIM', 'abcdefghijklmnopqrstuvwxyz', 'b' * 40, 'b')]
    prepared = recognizer.prepare(images)['inputs']
    shapes = [tuple(tensor.shape) for tensor in prepared]
    assert len(set(shapes)) == len(images) - 1  # 'a' and 'b' are alike
    for image, shape in zip(images, shapes):
        assert shape == (1, 32, pytest.approx(
            max(32, image.shape[1] * 32 / 36), abs=16))
    grey = cv2.cvtColor(images[1], cv2.COLOR_BGR2GRAY)
    expected = cv2.resize(grey, shapes[1][:0:-1])
    assert np.array_equal(prepared[1][0].numpy(), expected)
    same(recognizer(images), [recognizer(image)[0] for image in images])


def test_lower_precision_is_near(checkpoint: Path, images: List[np.ndarray],
                                 recognizer: TextRecognizer) -> None:
    near = TextRecognizer(checkpoint, device='cpu', precision='bf16')
    assert near.precision.dtype is torch.bfloat16
    full, half = (one._predict(one.prepare(images))
                  for one in (recognizer, near))
    firsts = [(a.pred_text.score[0], b.pred_text.score[0])
              for a, b in zip(full, half)]
    assert len(firsts) == len(images) and any(a != b for a, b in firsts)
    assert max(abs(a - b) for a, b in firsts) < 0.1


def test_an_iterator_is_read_a_batch_at_a_time(
        recognizer: TextRecognizer, images: List[np.ndarray]) -> None:
    taken = []

    def endless() -> Any:
        for number in itertools.count():
            taken.append(number)
            yield images[number % len(images)]

    words = list(itertools.islice(recognizer.stream(endless()), 6))
    assert taken == list(range(8))
    same(words, recognizer(images[:6]))
    assert [word.source for word in words] == [
        f'array {n}' for n in range(1, 7)]


def test_what_is_unreadable_is_told_and_the_rest_is_read(
        recognizer: TextRecognizer, images: List[np.ndarray],
        tmp_path: Path) -> None:
    (tmp_path / 'a.png').write_bytes(png(images[0]))
    (tmp_path / 'b.png').write_bytes(png(images[1])[:50])
    (tmp_path / 'c.png').write_bytes(b'')
    (tmp_path / 'd.png').write_bytes(png(images[3]))
    words = recognizer(str(tmp_path))
    same([words[0], words[3]], recognizer([images[0], images[3]]))
    assert words[1].error and words[2].error == 'no bytes'
    # Pictures are read again when they are asked for.
    assert np.array_equal(words[3].image, images[3])
    (tmp_path / 'd.png').unlink()
    with pytest.raises(UnreadableRecordError, match='No such file'):
        _ = words[3].image
    for word in words[1:3]:
        assert (word.text, word.score, word.char_scores) == ('', 0., [])
        with pytest.raises(ValueError, match='has no picture'):
            _ = word.image
    bad = recognizer([images[0], np.zeros((0, 5, 3), np.uint8),
                      np.zeros((4, 5, 3), np.float32)])
    assert [word.error is None for word in bad] == [True, False, False]
    assert 'float32' in str(bad[2].error)
    assert recognizer([]) == []
