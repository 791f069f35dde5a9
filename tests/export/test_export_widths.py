"""Graphs whose pictures are as wide as their shape says."""
from pathlib import Path
from types import SimpleNamespace
from typing import Any, List

import numpy as np
import onnxruntime
import pytest
from mmocr.registry import TRANSFORMS

from lmim.apis import TextRecognizer
from lmim.export import export
from lmim.export.onnx_reader import OnnxTextReader, batches, resize
from lmim.export.recognizers import _write_two
from lmim.utils.errors import UserError
from tests.apis.conftest import draw, write_checkpoint

from .conftest import config_of

#: Of words in order of no width: 64 (the least), 256 (the greatest), between.
WORDS = ['ab', 'x' * 40, 'seven', 'a', 'seventeen', 'y' * 30, 'eleven']
WIDTHS = [64, 256, 104, 64, 176, 256, 120]
ABOUT: Any = dict(height=32, width=128, interpolation='bilinear',
                  widths=[64, 256, 4])


@pytest.fixture(scope='module')
def wide() -> List[np.ndarray]:
    return [draw(word) for word in WORDS]


@pytest.mark.parametrize('kind', ['autoregressive', 'ctc'])
def test_pictures_are_read_by_width(kind: str, tmp_path: Path,
                                    wide: List[np.ndarray]) -> None:
    config = config_of(kind, tmp_path)
    checkpoint = write_checkpoint(tmp_path / 'model.pth', config, std=0.3)
    manifest = export(checkpoint, tmp_path / 'out', width='64-256')
    assert manifest['format_version'] == 2
    assert manifest['image']['widths'] == (64, 256, 4)
    assert {64, 128, 160, 256} <= set(manifest['parity']['widths'])
    model = TextRecognizer(checkpoint, device='cpu', width='64-256')
    wanted = model(wide)
    assert len({round(one.char_scores[0], 4) for one in wanted}) >= 6
    for size in (1, 3):
        found = OnnxTextReader(tmp_path / 'out', batch_size=size)(wide)
        assert [one.text for one in found] == [one.text for one in wanted]
        for one, other in zip(found, wanted):
            assert one.char_scores == pytest.approx(other.char_scores,
                                                    abs=1e-5)


def test_an_encoder_takes_several_widths(tmp_path: Path) -> None:
    config = config_of('pretraining', tmp_path)
    checkpoint = write_checkpoint(tmp_path / 'model.pth', config)
    manifest = export(checkpoint, tmp_path / 'out', width='auto')
    assert manifest['kind'] == 'encoder'
    session = onnxruntime.InferenceSession(
        str(tmp_path / 'out' / 'encoder.onnx'))
    for columns in (32, 57, 96):
        pixels = np.zeros((2, 32, 4 * columns, 3), np.uint8)
        tokens, = session.run(['tokens'], {'pixels': pixels})
        assert tokens.shape == (2, 1 + columns, 32)


def test_pictures_become_as_wide_as_in_the_pipeline(
        wide: List[np.ndarray]) -> None:
    step = TRANSFORMS.build(dict(
        type='RescaleToHeight', height=32, min_width=64, max_width=256,
        width_divisor=4, _scope_='mmocr'))
    assert [resize(image, ABOUT).shape[1] for image in wide] == WIDTHS
    generator = np.random.default_rng(0)
    for height, width in generator.integers(1, 300, (100, 2)).tolist():
        image = generator.integers(0, 255, (height, width, 3), np.uint8)
        wanted = step(dict(img=image))['img']  # type: ignore[misc]
        assert np.array_equal(resize(image, ABOUT), wanted)


def test_batches_have_one_width(wide: List[np.ndarray]) -> None:
    made = list(batches(wide, ABOUT, 2))
    assert [numbers for numbers, _ in made] == [
        [0, 3], [2], [6], [4], [1, 5]]
    assert [pixels.shape[2] for _, pixels in made] == [64, 104, 120, 176, 256]


def test_coverage_has_one_width(tmp_path: Path) -> None:
    """Its sums have as many cells as the trained images."""
    model = SimpleNamespace(decoder=SimpleNamespace(refinement=object()))
    with pytest.raises(UserError, match='for its own width only'):
        _write_two(model, SimpleNamespace(widths=(64, 128)), tmp_path)
