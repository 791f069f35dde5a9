"""The reader without torch."""
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, List

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lmim.export.onnx_reader import (MANIFEST, OnnxTextReader,
                                     ctc_probability, resize)

from .conftest import Exported

#: Imports of these fail.
ABSENT = ('torch', 'mmengine', 'mmcv', 'mmocr', 'lmim', 'onnx')


@pytest.fixture(scope='module')
def without_torch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp('absent')
    for name in ABSENT:
        (root / f'{name}.py').write_text(f'raise ImportError("{name}")')
    return root


@pytest.mark.parametrize('kind', ['autoregressive', 'ctc'])
def test_reads_in_a_process_without_torch(
        kind: str, exported: Callable[[str], Exported], words: List[Any],
        torch_readings: Callable[[str], List[Any]], without_torch: Path,
        tmp_path: Path) -> None:
    paths = [tmp_path / f'{number}.png' for number in range(len(words))]
    for path, word in zip(paths, words):
        cv2.imwrite(str(path), word)
    # One whose ink is in the alpha channel alone.
    clear = np.zeros((*words[0].shape[:2], 4), np.uint8)
    clear[..., 3] = 255 - cv2.cvtColor(words[0], cv2.COLOR_BGR2GRAY)
    paths.append(tmp_path / 'clear.png')
    cv2.imwrite(str(paths[-1]), clear)
    [read] = OnnxTextReader(exported(kind).folder)(
        [255 - np.dstack([clear[..., 3]] * 3)])
    assert OnnxTextReader(exported(kind).folder)([clear]) == [read]
    (tmp_path / 'broken.png').write_bytes(b'no picture')
    done = subprocess.run(
        [sys.executable, str(exported(kind).folder / 'read.py'), *paths,
         tmp_path / 'broken.png', tmp_path / 'missing.png'],
        env=dict(os.environ, PYTHONPATH=str(without_torch)),
        cwd=tmp_path, capture_output=True, encoding='utf-8')
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f'{tmp_path / name}.png: no picture that can be read'
        for name in ('broken', 'missing')]
    assert done.stdout.splitlines() == [
        f'{path}\t{word.text}\t{word.score:.4f}'
        for path, word in zip(paths, [*torch_readings(kind), read])]


@pytest.mark.parametrize('word', [[], [1], [1, 1], [2, 1, 1, 3], [3] * 5])
def test_ctc_probability_is_torchs(word: List[int]) -> None:
    torch.manual_seed(len(word))
    logs = (3 * torch.randn(9, 1, 5)).log_softmax(dim=-1)
    loss = F.ctc_loss(
        logs, torch.tensor([word], dtype=torch.long), torch.tensor([9]),
        torch.tensor([len(word)]), blank=4, reduction='none')
    found = ctc_probability(logs[:, 0].exp().numpy(), word, 4)
    assert found == pytest.approx(loss.neg().exp().item(), rel=1e-4)
    assert found > 0


def test_words_end_and_leave_out(exported: Callable[[str], Exported]) -> None:
    reader = OnnxTextReader(exported('autoregressive').folder)
    classes = np.array([[10, 96, 11, 94, 12], [94, 10, 10, 10, 10],
                        [10, 11, 12, 13, 14]])
    chances = np.array([[.9, .5, .8, .5, .1], [.7, .1, .1, .1, .1],
                        [.5, 1, 1, 1, .5]])
    found = reader._words(classes, chances)
    assert [one.text for one in found] == ['ab', '', 'abcde']
    assert found[0].char_scores == pytest.approx([.9, .8])
    assert [one.score for one in found] == pytest.approx([.18, .7, .25])


def test_pictures_are_resized_as_in_the_pipeline() -> None:
    from mmocr.registry import TRANSFORMS
    image = np.random.default_rng(0).integers(0, 256, (31, 77, 3), np.uint8)
    for how in ('nearest', 'bilinear', 'bicubic', 'area', 'lanczos'):
        about = dict(height=32, width=128, interpolation=how)
        transform = TRANSFORMS.build(dict(
            type='mmocr.Resize', scale=(128, 32), interpolation=how))
        wanted = transform(dict(img=image, img_shape=(31, 77)))['img']
        assert np.array_equal(resize(image, about), wanted), how


def test_refuses_what_it_cannot_read(exported: Callable[[str], Exported],
                                     tmp_path: Path) -> None:
    reader = OnnxTextReader(exported('ctc').folder)
    for wrong in (np.zeros((9, 9, 5), np.uint8), np.zeros((9, 9, 3)),
                  np.zeros((0, 9, 3), np.uint8)):
        with pytest.raises(ValueError, match='is no picture'):
            reader([wrong])
    with pytest.raises(FileNotFoundError, match=MANIFEST):
        OnnxTextReader(tmp_path)
    held = exported('ctc').manifest
    for change, told in ((dict(format_version=3), 'newer'),
                         (dict(kind='encoder'), 'reads no text')):
        (tmp_path / MANIFEST).write_text(json.dumps({**held, **change}))
        with pytest.raises(ValueError, match=told):
            OnnxTextReader(tmp_path)
