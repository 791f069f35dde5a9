"""Bad input ends in one message with the thing and the mend, and exit 1."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List

import cv2
import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmocr.registry import HOOKS, MODELS

from lmim.datasets.lmdb_writer import LMDBWriter
from tests.datasets.make_lmdb import make_lmdb, picture, write_entries
from tests.tool_runs import (
    TOOLS,
    Outcome,
    arguments,
    log_of,
    mini_config,
    run_tool,
    saved_files,
    small_loader,
)

MAE, LMIM, RECOGNIZER = map(
    mini_config, ('pretrain/mae', 'pretrain/lmim', 'textrecog/lmim'))
WORDS = ['Ab1', 'word', 'LMIM', 'x', 'seven', '8', 'nine', 'ten']
DATA = 'train_dataloader.dataset.paths'


@HOOKS.register_module()
class PoisonHook(Hook):
    """Makes a weight NaN before an iteration."""

    def __init__(self, at: int) -> None:
        self.at = at

    def before_train_iter(self, runner: Runner, batch_idx: int,
                          data_batch: Any = None) -> None:
        if runner.iter == self.at:
            runner.model.neck.decoder_pred.bias.data[0] = float('nan')


def training(paths: Any, **changes: Any) -> Dict[str, Any]:
    """Options: two epochs of two iterations on a set of eight words."""
    return {
        DATA: paths, **small_loader('train_dataloader', 4),
        'train_cfg.max_epochs': 2, 'default_hooks.logger.interval': 1,
        **changes
    }


def recognizing(room: Path, **changes: Any) -> Dict[str, Any]:
    """The same for the recognizer, which is evaluated on these words, too."""
    words = room / 'words.lmdb'
    return training(words, **{
        'model.backbone.init_cfg.checkpoint': room / 'mae/epoch_2.pth',
        'val_dataloader.dataset.paths': words,
        'test_dataloader.dataset.paths': words,
        **small_loader('val_dataloader', 4),
        **small_loader('test_dataloader', 4), 'train_cfg.val_interval': 5,
        **changes
    })


@pytest.fixture(scope='module')
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, and a good run of each of the three models."""
    room = tmp_path_factory.mktemp('room')
    rng = np.random.default_rng(0)
    with LMDBWriter(room / 'words.lmdb') as writer:
        for word in WORDS:
            image = rng.integers(0, 255, (24, 60, 3), 'uint8')
            writer.add(cv2.imencode('.png', image)[1].tobytes(), word)
    runs = {
        'mae': (MAE, training('words.lmdb')),
        'lmim': (LMIM, training('words.lmdb', **{
            'model.target_generator.checkpoint': 'mae/epoch_2.pth'})),
        'recognizer': (RECOGNIZER, recognizing(room)),
    }
    for options in (runs['mae'][1], runs['lmim'][1]):
        options['train_dataloader.dataset.data_root'] = room
    for name, (config, options) in runs.items():
        outcome = run_tool('train.py', room, config, '--work-dir', name,
                           options=options)
        assert outcome.code == 0, outcome.stderr
    return room


@pytest.fixture
def nothing_lost(room: Path) -> Iterator[None]:
    """What was written before is there afterwards, every byte of it."""
    before = {path: saved_files(path) for path in room.glob('*/')}
    assert sum(map(len, before.values())) == 9
    yield
    assert {path: saved_files(path) for path in before} == before


def refused(outcome: Outcome, *words: Any) -> str:
    """Exit status 1, one message that has these words, no traceback."""
    message = outcome.stderr
    assert outcome.code == 1, message
    assert message.startswith('\nError: '), message
    assert 'Traceback' not in message
    for word in words:
        assert str(word) in message, f'{word!r} is not in:\n{message}'
    return message


def train_mae(room: Path, paths: Any, **changes: Any) -> Outcome:
    return run_tool('train.py', room, MAE, '--work-dir', 'mae',
                    options=training(paths, **changes))


pytestmark = pytest.mark.usefixtures('nothing_lost')


def test_missing_paths(room: Path) -> None:
    refused(train_mae(room, '/nowhere/a.lmdb'), '/nowhere/a.lmdb',
            'LMIM_DATA_ROOT', f'--cfg-options {DATA}=PATH')
    refused(run_tool('test.py', room, RECOGNIZER, 'recognizer/epoch_2.pth',
                     options=recognizing(room, **{
                         'test_dataloader.dataset.paths': 'b.lmdb'})),
            'b.lmdb', '--cfg-options test_dataloader.dataset.paths=PATH')
    refused(run_tool('train.py', room, 'configs/none.py'), 'configs/none.py')


def test_missing_path_as_a_user_types_it(room: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(TOOLS / 'train.py'),
         *arguments(MAE, options=training('nowhere.lmdb'))],
        cwd=room, env=dict(os.environ, OMP_NUM_THREADS='1'), text=True,
        capture_output=True)
    refused(Outcome(done.returncode, done.stderr), 'nowhere.lmdb')
    assert not (room / 'work_dirs').exists()


def test_empty_sets(room: Path, tmp_path: Path) -> None:
    path = make_lmdb(tmp_path / 'empty.lmdb', [], num_samples=b'0')
    refused(train_mae(room, path), f'{path} is empty: its num-samples is 0',
            'at least one image')
    (tmp_path / 'folder').mkdir()
    refused(train_mae(room, tmp_path / 'folder'),
            f'{tmp_path / "folder"}: no image in this folder', '.png')
    (tmp_path / 'list.json').write_text(
        '{"metainfo": {"dataset_type": "TextRecogDataset", '
        '"task_name": "textrecog"}, "data_list": []}')
    config = tmp_path / 'config.py'
    config.write_text(
        f'_base_ = {str(RECOGNIZER)!r}\n'
        'train_dataloader = dict(dataset=dict(_delete_=True, '
        f"type='OCRDataset', ann_file={str(tmp_path / 'list.json')!r}, "
        'pipeline=[]))\n')
    options = recognizing(room)
    del options[DATA]
    refused(run_tool('train.py', room, config, options=options),
            f'{tmp_path / "list.json"} (train_dataloader.dataset.ann_file) '
            'lists no sample', 'train_dataloader.dataset.ann_file=FILE')


def test_an_lmdb_without_num_samples(room: Path, tmp_path: Path) -> None:
    path = write_entries(tmp_path / 'a.lmdb', {b'image-000000001': picture(1)})
    refused(train_mae(room, path), path, "no key 'num-samples'",
            'Put the number of images')


def test_image_sizes_that_are_no_multiple_of_the_patch(room: Path) -> None:
    words = room / 'words.lmdb'
    refused(train_mae(room, words, **{'model.backbone.img_size': '(30,130)'}),
            'image size 30x130 is no multiple of the patch size',
            'change img_size or patch_size')
    # The model is right and the pipeline is not.
    refused(train_mae(room, words, **{
        'train_dataloader.dataset.pipeline.1.scale': '(130,30)'}),
        'the images are 30x130', 'the backbone is for 32x128',
        'scale=(128, 32)')


class Executable:
    """Leaves a file behind where it is loaded without care."""

    def __reduce__(self) -> Any:
        return os.mkdir, ('executed', )


def other_encoder() -> Dict[str, torch.Tensor]:
    """Weights of an encoder of another size."""
    encoder = MODELS.build(dict(
        type='TextViT', _scope_='mmocr', patch_size=8,
        arch=dict(embed_dims=32, num_layers=1, num_heads=2,
                  feedforward_channels=64)))
    return {f'backbone.{name}': value
            for name, value in encoder.state_dict().items()}


def write_bad(kind: str, path: Path, good: Path) -> None:
    """Make a checkpoint that must not be taken."""
    state = dict(optimizer=dict(), meta=dict(epoch=1, iter=2))
    if kind == 'another size':
        torch.save(dict(state, state_dict=other_encoder()), path)
    elif kind == 'another kind':
        torch.save(dict(state, state_dict={
            'layer1.0.conv1.weight': torch.zeros(4, 3, 3, 3)}), path)
    elif kind == 'truncated':
        path.write_bytes(good.read_bytes()[:good.stat().st_size // 2])
    elif kind == 'no checkpoint':
        path.write_text('<!DOCTYPE html>' * 100)
    elif kind == 'executable':
        torch.save(dict(state, state_dict=other_encoder(),
                        extra=Executable()), path)


#: What the message says where an encoder is loaded, and a whole model.
SAYS: Dict[str, List[str]] = {
    'missing': ['does not exist', 'does not exist'],
    'another size': ['the encoder does not match .*Set arch',
                     'does not fit the model .*Use the config'],
    'another kind': ['holds no encoder .*Known are',
                     'does not fit the model .*Use the config'],
    'truncated': ['truncated.*Copy or download', 'truncated.*Copy or'],
    'no checkpoint': ['no file of torch.save.*Copy', 'no file of torch.save'],
    'executable': ['would be executed.*mkdir.*If you trust'] * 2,
}


@pytest.mark.parametrize('kind', SAYS)
def test_bad_checkpoints(room: Path, tmp_path: Path, kind: str) -> None:
    bad = tmp_path / 'bad.pth'
    write_bad(kind, bad, room / 'recognizer' / 'epoch_2.pth')
    words = room / 'words.lmdb'
    load = 'load_from', 'model.target_generator.checkpoint'
    uses = {
        'teacher': ('train.py', [LMIM], training(words, **{load[1]: bad})),
        'backbone': ('train.py', [RECOGNIZER], recognizing(room, **{
            'model.backbone.init_cfg.checkpoint': bad})),
        'test': ('test.py', [RECOGNIZER, bad], recognizing(room)),
        'resume': ('train.py', [RECOGNIZER, '--resume', bad],
                   recognizing(room)),
    }
    for use, (tool, args, options) in uses.items():
        work_dir = 'lmim' if use == 'teacher' else 'recognizer'
        outcome = run_tool(tool, room, *args, '--work-dir', work_dir,
                           options=options)
        message = refused(outcome, bad)
        says = SAYS[kind][use in ('test', 'resume')]
        assert re.search(says, message, re.S), f'{use}: {message}'
    assert not (room / 'executed').exists()


def test_a_teacher_that_is_not_named(room: Path) -> None:
    outcome = run_tool('train.py', room, LMIM, '--work-dir', 'lmim',
                       options=training(room / 'words.lmdb', **{
                           'model.target_generator.checkpoint': 'None'}))
    refused(outcome, 'model.target_generator.checkpoint=FILE',
            'configs/pretrain/mae/')


def test_labels_outside_the_dictionary(room: Path, tmp_path: Path) -> None:
    """All at once, and before the first iteration."""
    with LMDBWriter(tmp_path / 'bad.lmdb') as writer:
        for word in ['good', 'né', 'a b', 'Größe', 'lengthier', 'né']:
            writer.add(picture(9), word)
    bad = {DATA: tmp_path / 'bad.lmdb', 'train_dataloader.batch_size': 2}
    outcome = run_tool('train.py', room, RECOGNIZER, '--work-dir',
                       tmp_path / 'work', options=recognizing(room, **bad))
    refused(outcome, '4 of 6 training labels have characters that are not in '
            'the dictionary', 'english_94.txt', "'é' (U+00E9) in 2 label(s)",
            "' ' (U+0020) in 1 label(s)", "'ö' (U+00F6)", "'ß' (U+00DF)",
            f"{tmp_path / 'bad.lmdb'} image-000000002: 'né'",
            'model.decoder.module_loss.on_unknown=map')
    assert 'Epoch(train)' not in log_of(tmp_path / 'work')
    # The mend mends.
    outcome = run_tool(
        'train.py', room, RECOGNIZER, '--work-dir', tmp_path / 'mapped',
        options=recognizing(room, **bad, **{
            'model.decoder.module_loss.on_unknown': 'map'}))
    assert outcome.code == 0, outcome.stderr
    log = log_of(tmp_path / 'mapped')
    assert 'They are learnt as the unknown token.' in log
    assert ('1 of 6 training labels have more than 8 characters' in log
            and "image-000000005: 'lengthier'" in log)


def test_a_learning_rate_that_explodes(room: Path, tmp_path: Path) -> None:
    outcome = run_tool(
        'train.py', room, MAE, '--work-dir', tmp_path, options=training(
            room / 'words.lmdb', **{'optim_wrapper.optimizer.lr': '1e30'}))
    message = refused(outcome, 'The loss is not finite: ', 'epoch 1',
                      'No checkpoint was written yet', 'optimizer.lr=LOWER')
    named = re.findall(r'^  \S+words\.lmdb image-(\d+)$', message, re.M)
    assert len(set(named)) == 4
    assert saved_files(tmp_path) == {}


def test_a_loss_of_nan_keeps_the_last_good_checkpoint(
        room: Path, tmp_path: Path) -> None:
    """The run stops in its second epoch, and goes on as if it had not."""
    config = tmp_path / 'config.py'
    config.write_text(
        f'_base_ = {str(MAE)!r}\n'
        "custom_hooks = [*_base_.custom_hooks, dict(type='PoisonHook', "
        'at=3)]\n')
    work_dir = tmp_path / 'work'
    options = training(room / 'words.lmdb')
    outcome = run_tool('train.py', room, config, '--work-dir', work_dir,
                       options=options)
    last = work_dir / 'epoch_1.pth'
    message = refused(outcome, 'The loss is not finite: ', 'epoch 2',
                      'iteration 4 (batch 2 of the epoch)',
                      f'The last checkpoint is untouched: {last}', '--resume')
    assert len(re.findall(r'words\.lmdb image-\d+$', message, re.M)) == 4
    assert sorted(saved_files(work_dir)) == ['epoch_1.pth', 'last_checkpoint']
    assert all(value.isfinite().all()
               for value in torch.load(last)['state_dict'].values())
    shutil.copytree(work_dir, tmp_path / 'copy')
    for folder in ('work', 'copy'):  # a work dir may be moved, too
        outcome = run_tool('train.py', room, MAE, '--resume', '--work-dir',
                           tmp_path / folder, options=options)
        assert outcome.code == 0, outcome.stderr
        resumed = torch.load(tmp_path / folder / 'epoch_2.pth')['state_dict']
        whole = torch.load(room / 'mae' / 'epoch_2.pth')['state_dict']
        assert all(torch.equal(value, resumed[name])
                   for name, value in whole.items())
