"""Small models with their checkpoints, and pictures, made once."""
from pathlib import Path
from typing import Any, Dict, List, Optional

import cv2
import numpy as np
import pytest
import torch

from lmim.checkpoints import Checkpoint, write_checkpoint
from lmim.apis.loading import build_model
from lmim.checkpoints.contents import add_config
from lmim.visualization.reconstruction import view_batch
from tests.tool_runs import mini_config

CONFIGS = {
    'mae': 'pretrain/mae', 'lmim': 'pretrain/lmim',
    'seqclr': 'pretrain/seqclr', 'dig': 'pretrain/dig',
    'ssm': 'pretrain/ssm', 'ccd': 'pretrain/ccd', 'hsg': 'pretrain/hsg',
    'recognizer': 'textrecog/transformer'
}


def small_model(kind: str, meta: Optional[Dict[str, Any]] = None
                ) -> torch.nn.Module:
    """The model of a CPU-sized config, which is kept, with random weights."""
    cfg = add_config({} if meta is None else meta, mini_config(CONFIGS[kind]))
    torch.manual_seed(0)
    return build_model(cfg.model.to_dict(), empty=False).eval()


@pytest.fixture(scope='session')
def checkpoints(tmp_path_factory: Any) -> Dict[str, Path]:
    """A checkpoint of each kind of model, with its config."""
    folder = tmp_path_factory.mktemp('checkpoints')
    paths = {}
    for kind in CONFIGS:
        meta: Dict[str, Any] = {}
        paths[kind] = folder / f'{kind}.pth'
        write_checkpoint(Checkpoint(
            str(paths[kind]), small_model(kind, meta).state_dict(), meta),
            paths[kind])
    return paths


@pytest.fixture(scope='session')
def images() -> List[np.ndarray]:
    """Pictures with something to see, (H, W, 3)."""
    drawn = []
    for number, word in enumerate(('one', 'two', 'six', 'ten')):
        image = np.full((40, 110 + number, 3), 200 - 20 * number, np.uint8)
        cv2.putText(image, word, (6, 30), cv2.FONT_HERSHEY_SIMPLEX, 1.2,
                    (20, 40 * number, 90), 3)
        drawn.append(image)
    return drawn


@pytest.fixture(scope='session')
def batch(images: List[np.ndarray]) -> Dict[str, Any]:
    """Both views of the pictures, as a dataloader gives them."""
    return view_batch(images, (32, 128))


@pytest.fixture(scope='session')
def image_folder(images: List[np.ndarray], tmp_path_factory: Any) -> Path:
    """The same as files, and one that is none."""
    folder = tmp_path_factory.mktemp('words')
    for number, image in enumerate(images):
        cv2.imwrite(str(folder / f'{number}.png'), image)
    (folder / '9_broken.png').write_bytes(b'\x89PNG\r\n\x1a\nno picture')
    return folder
