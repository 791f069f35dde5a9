"""Pictures that a pre-training draws of itself."""
from pathlib import Path
from typing import Any, Dict

import cv2
import numpy as np
import pytest
import torch
from mmocr.registry import HOOKS

from lmim.datasets.known_sets import read_config
from tests.checkpoints.tiny import write_encoder
from tests.tool_runs import mini_config, run_tool, small_loader

LMIM = mini_config('pretrain/lmim')


@pytest.fixture(scope='module')
def folder(tmp_path_factory: Any) -> Path:
    """Pictures, a teacher, and a place to train in."""
    folder = tmp_path_factory.mktemp('pictures_hook')
    (folder / 'words').mkdir()
    for number in range(8):
        image = np.full((32, 96, 3), 90 + 10 * number, np.uint8)
        cv2.putText(image, f'w{number}', (6, 26), cv2.FONT_HERSHEY_SIMPLEX,
                    1, (0, 0, 0), 2)
        cv2.imwrite(str(folder / f'words/{number}.png'), image)
    write_encoder(read_config(str(mini_config('pretrain/mae'))).model.backbone,
                  folder / 'teacher.pth')
    return folder


def train(folder: Path, name: str, *args: str,
          **pictures: Any) -> Dict[str, torch.Tensor]:
    """Train two epochs of two iterations; the weights."""
    options = {
        f'default_hooks.pictures.{key}': value
        for key, value in pictures.items()
    }
    done = run_tool(
        'train.py', folder, LMIM, '--work-dir', name, *args, options={
            'model.target_generator.checkpoint': folder / 'teacher.pth',
            'train_dataloader.dataset.data_root': folder,
            'train_dataloader.dataset.paths': 'words',
            'train_cfg.max_epochs': 2,
            'default_hooks.logger.interval': 1,
            **small_loader('train_dataloader', 4), **options
        })
    assert done.code == 0, done.stderr
    return torch.load(folder / name / 'epoch_2.pth',
                      weights_only=False)['state_dict']


@pytest.fixture(scope='module')
def drawn(folder: Path) -> Dict[str, torch.Tensor]:
    """The weights of a run that draws after each epoch."""
    return train(folder, 'drawn', '--tensorboard', num_pictures=2)


def test_training_is_the_same_with_and_without(folder, drawn):
    plain = train(folder, 'plain', enable=False)
    assert not (folder / 'plain/pictures').exists()
    assert drawn.keys() == plain.keys()
    assert all(torch.equal(drawn[name], plain[name]) for name in plain)


def test_pictures_lie_in_the_work_dir(folder, drawn):
    found = sorted((folder / 'drawn/pictures').iterdir())
    assert [path.name for path in found] == [
        'reconstruction_epoch_1.png', 'reconstruction_epoch_2.png',
        'views.png']
    first, second, views = [cv2.imread(str(path)) for path in found]
    assert first.shape == second.shape
    # The same pictures and masks, other predictions: columns are 388 wide,
    # and there is a line above the pictures.
    first, second = first[18:110], second[18:110]
    assert np.array_equal(first[:, :3 * 388], second[:, :3 * 388])
    assert not np.array_equal(first[:, 4 * 388:], second[:, 4 * 388:])
    assert views.shape[1] == 3 * 260
    # No second copy by the local backend.
    assert not list((folder / 'drawn').glob('*/vis_data/vis_image'))


def test_tensorboard_has_them(folder, drawn):
    pytest.importorskip('tensorboard')
    from tensorboard.backend.event_processing.event_accumulator import \
        EventAccumulator
    events = next((folder / 'drawn').glob('*/vis_data/events*'))
    log = EventAccumulator(str(events.parent))
    log.Reload()
    assert sorted(log.Tags()['images']) == ['reconstruction', 'views']
    assert [event.step for event in log.Images('reconstruction')] == [2, 4]
    assert 'loss' in log.Tags()['scalars']
    assert list((folder / 'drawn').glob('*/vis_data/scalars.json'))


def test_numbers_below_one_are_refused():
    for name in ('interval', 'num_pictures'):
        with pytest.raises(ValueError, match=f'{name} is 1 or more, not 0'):
            HOOKS.build({'type': 'PretrainPicturesHook', name: 0})
