"""From real pictures to words read right, by the commands users type."""
from pathlib import Path
from typing import Any, Dict

import pytest
import torch

from lmim.datasets.records import LMDBSource
from tests.tool_runs import (
    log_of,
    mini_config,
    run_data,
    run_tool,
    scalars_of,
    small_loader,
)

#: Two epochs of two iterations.
SHORT = {'train_cfg.max_epochs': 2, 'default_hooks.logger.interval': 1}


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp('real')


def pretrain(kind: str, folder: Path, name: str, paths: Path,
             **changes: Any) -> Path:
    """Pre-train the mini model for a few steps; its last checkpoint."""
    options = {
        'train_dataloader.dataset.paths': paths,
        **small_loader('train_dataloader', 5), **SHORT, **changes
    }
    outcome = run_tool('train.py', folder, mini_config(f'pretrain/{kind}'),
                       '--work-dir', name, options=options)
    assert outcome.code == 0, outcome.stderr
    losses = [line['loss'] for line in scalars_of(folder / name)]
    assert len(losses) >= 4 and all(0 < loss < 10 for loss in losses)
    return folder / name / 'epoch_2.pth'


@pytest.fixture(scope='module')
def teacher(folder: Path, shared_data: Path) -> Path:
    """MAE, pre-trained on the pictures of an LMDB."""
    return pretrain('mae', folder, 'mae',
                    shared_data / 'rec_toy_dataset/imgs.lmdb')


@pytest.fixture(scope='module')
def crops(folder: Path, shared_data: Path) -> Path:
    """Words cut out of street photographs."""
    scenes = shared_data / 'scene_images'
    result = run_data(folder, 'crop', scenes / 'polygons.json', scenes,
                      folder / 'crops.lmdb')
    assert result['code'] == 0 and result['images'] == 10
    assert result['instances'] == 82
    assert result['written'] + result['skipped']['total'] == 82
    assert len(LMDBSource(str(folder / 'crops.lmdb'))) == result['written']
    assert result['written'] >= 60
    return folder / 'crops.lmdb'


@pytest.fixture(scope='module')
def encoder(folder: Path, teacher: Path, crops: Path) -> Path:
    """LMIM, pre-trained on the crops."""
    return pretrain(
        'lmim', folder, 'lmim', crops,
        **{'model.target_generator.checkpoint': teacher,
           **small_loader('train_dataloader', 32)})


def test_pretraining_on_an_lmdb_and_on_crops(folder: Path,
                                             encoder: Path) -> None:
    """The teacher is in LMIM's checkpoint unchanged."""
    weights = torch.load(encoder)['state_dict']
    teacher = torch.load(folder / 'mae' / 'epoch_2.pth')['state_dict']
    for name, value in teacher.items():
        if name.startswith('backbone.'):
            inside = name.replace('backbone.', 'target_generator.encoder.')
            assert torch.equal(weights[inside], value), name
    first = scalars_of(folder / 'lmim')[0]
    assert first['loss'] == pytest.approx(
        first['loss_recon'] + first['loss_align'], rel=1e-4)
    log = log_of(folder / 'lmim')
    assert f'Encoder from {folder / "mae" / "epoch_2.pth"}' in log
    assert '0 missing, 0 of another shape, 0 unexpected' in log


#: A user's config: his words instead of the rendered ones.
WORDS = """\
_base_ = {base!r}
words = dict(
    _delete_=True,
    type='TextImageDataset',
    data_root={root!r},
    paths=dict(path='labels.json', image_root='imgs'),
    with_text=True,
    pipeline=[
        dict(type='SetSampleSeed'),
        dict(type='LoadOCRAnnotations', with_text=True),
        dict(type='Resize', scale=(128, 32)),
        dict(type='PackTextRecogInputs', meta_keys=_base_.meta_keys),
    ])
model = dict(
    backbone=dict(init_cfg=dict(checkpoint={encoder!r})),
    # '03/09/2009' has 10 characters, and the end is one more.
    decoder=dict(max_seq_len=11))
loader = dict(batch_size=10, num_workers=0, persistent_workers=False,
              pin_memory=False)
train_dataloader = dict(loader, dataset=dict(
    _delete_=True, type='RepeatDataset', times=20,
    dataset={{key: value for key, value in words.items()
             if key != '_delete_'}}))
words['test_mode'] = True
val_dataloader = dict(loader, dataset=words)
test_dataloader = val_dataloader
val_evaluator = dict(dataset_prefixes=['words'])
test_evaluator = val_evaluator
optim_wrapper = dict(optimizer=dict(lr=1e-3))
train_cfg = dict(max_epochs=8, val_interval=8)
default_hooks = dict(checkpoint=dict(interval=8))
"""


def test_ten_words_are_learnt(folder: Path, encoder: Path,
                              shared_data: Path) -> None:
    config = folder / 'words.py'
    config.write_text(WORDS.format(
        base=str(mini_config('textrecog/transformer')),
        root=str(shared_data / 'rec_toy_dataset'), encoder=str(encoder)))
    outcome = run_tool('train.py', folder, config)
    assert outcome.code == 0, outcome.stderr
    work_dir = folder / 'work_dirs' / 'words'
    assert 'LMIM for MMOCR' in log_of(work_dir)
    outcome = run_tool('test.py', folder, config, work_dir / 'epoch_8.pth',
                       '--work-dir', 'evaluation')
    assert outcome.code == 0, outcome.stderr
    result: Dict[str, float] = scalars_of(folder / 'evaluation')[-1]
    assert result['words/recog/word_acc'] == 1.0  # 'exact'
    assert result['words/recog/word_acc_ignore_case_symbol'] == 1.0
