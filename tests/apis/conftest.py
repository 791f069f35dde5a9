"""Recognizers with random weights, and words to read."""
from pathlib import Path
from typing import Any, Callable, List

import cv2
import numpy as np
import pytest
import torch

from lmim.apis.loading import build_model
from lmim.checkpoints.contents import add_config
from lmim.apis import TextRecognizer
from tests.datasets.make_lmdb import make_lmdb
from tests.tool_runs import REPO

WORDS = ['Ab1', 'word', 'LMIM', 'x', 'seven', '8', 'nine']


def write_checkpoint(path: Path, config: Any, std: float = 0.15) -> Path:
    """A checkpoint as a run leaves it; random weights, of a deviation that
    lets most models tell pictures apart."""
    meta: dict = {}
    torch.manual_seed(0)
    model = build_model(
        add_config(meta, config).model.to_dict(), empty=False)
    generator = torch.Generator().manual_seed(0)
    for value in model.parameters():
        if value.dim() > 1 and value.numel() > 200:
            value.data.normal_(std=std, generator=generator)
    torch.save(dict(meta=meta, state_dict=model.state_dict()), path)
    return path


def draw(word: str) -> np.ndarray:
    """A word in dark grey on paper, as wide as it needs."""
    image = np.full((36, 16 + 20 * len(word), 3), (200, 220, 210), np.uint8)
    cv2.putText(image, word, (6, 27), cv2.FONT_HERSHEY_SIMPLEX, 0.9,
                (60, 40, 30), 2)
    return image


def png(image: np.ndarray) -> bytes:
    """A picture as the bytes of a PNG."""
    return cv2.imencode('.png', image)[1].tobytes()


@pytest.fixture(scope='session')
def make_checkpoint(
        tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes a checkpoint for the mini config in a folder of configs."""
    made: dict = {}

    def make(folder: str) -> Path:
        if folder not in made:
            path = tmp_path_factory.mktemp('checkpoint') / 'model.pth'
            config = next((REPO / 'configs' / folder).glob(
                f'{Path(folder).name}_*vit-mini_*.py'))
            made[folder] = write_checkpoint(path, config)
        return made[folder]

    return make


@pytest.fixture(scope='session')
def checkpoint(make_checkpoint: Callable[[str], Path]) -> Path:
    """A checkpoint of the paper's recognizer, of the quick start's size."""
    return make_checkpoint('textrecog/transformer')


@pytest.fixture(scope='session')
def recognizer(checkpoint: Path) -> TextRecognizer:
    """It, on the CPU, four words at a time."""
    return TextRecognizer(checkpoint, device='cpu', batch_size=4)


@pytest.fixture(scope='session')
def images() -> List[np.ndarray]:
    """Seven words as arrays."""
    return [draw(word) for word in WORDS]


@pytest.fixture(scope='session')
def folder(tmp_path_factory: pytest.TempPathFactory,
           images: List[np.ndarray]) -> Path:
    """The same as files, and as an LMDB in a folder beside them."""
    root = tmp_path_factory.mktemp('pictures')
    (root / 'words').mkdir()
    for number, image in enumerate(images):
        (root / 'words' / f'{number}.png').write_bytes(png(image))
    make_lmdb(root / 'words.lmdb', [png(image) for image in images],
              [word.encode() for word in WORDS])
    lines = [f'words/{n}.png\t{word}' for n, word in enumerate(WORDS)]
    (root / 'list.txt').write_text('\n'.join(lines))
    return root
