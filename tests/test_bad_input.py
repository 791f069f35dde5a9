"""Bad input ends in one message with the cause and the fix, and exit 1."""
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmocr.registry import HOOKS

from lmim.datasets.lmdb_writer import LMDBWriter
from tests.datasets.make_lmdb import make_lmdb, picture, write_entries
from tests.good_runs import (
    DATA,
    MAE,
    RECOGNIZER,
    recognizing,
    refused,
    training,
)
from tests.processes import needs_fork, run_on_processes
from tests.tool_runs import (
    Outcome,
    log_of,
    run_tool,
    saved_files,
    small_loader,
)


@HOOKS.register_module()
class PoisonHook(Hook):
    """Makes a weight NaN before an iteration."""

    def __init__(self, at: int) -> None:
        self.at = at

    def before_train_iter(self, runner: Runner, batch_idx: int,
                          data_batch: Any = None) -> None:
        if runner.iter == self.at:
            runner.model.neck.decoder_pred.bias.data[0] = float('nan')


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


def test_too_many_unreadable_records(room: Path, tmp_path: Path) -> None:
    """A tenth, met by a worker; the run stops with their number."""
    path = make_lmdb(tmp_path / 'a.lmdb', [
        picture(number) if number % 10 else b'bad' for number in range(200)])
    outcome = run_tool(
        'train.py', room, MAE, '--work-dir', tmp_path / 'work',
        options=training(path, **small_loader('train_dataloader', 10, 1)))
    message = refused(outcome, 'max_unreadable=0.01 allows 1.0%', path,
                      'unreadable.jsonl', 'lmim data validate')
    counts = re.search(r'Error: (\d+) of (\d+) reads met an unreadable '
                       r'record \((.*)%\), (\d+) different ones', message)
    assert counts is not None and 10 <= int(counts[4]) <= int(counts[1])
    share = 100 * int(counts[1]) / int(counts[2])
    assert float(counts[3]) == pytest.approx(share, abs=0.06)
    file, = (tmp_path / 'work').glob('*/unreadable.jsonl')
    assert len(file.read_text().splitlines()) >= 10


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
    # What the message says helps.
    outcome = run_tool(
        'train.py', room, RECOGNIZER, '--work-dir', tmp_path / 'mapped',
        options=recognizing(room, **bad, **{
            'model.decoder.module_loss.on_unknown': 'map'}))
    assert outcome.code == 0, outcome.stderr
    log = log_of(tmp_path / 'mapped')
    assert 'They are learnt as the unknown token.' in log
    assert ('1 of 6 training labels have more than 8 characters' in log
            and "image-000000005: 'lengthier'" in log)


@needs_fork
def test_all_processes_refuse_labels_together(room: Path,
                                              tmp_path: Path) -> None:
    """The first process looks; the others do not wait for ever."""
    path = make_lmdb(tmp_path / 'bad.lmdb', [picture(1)] * 8,
                     labels=['né'.encode()] * 8)

    def run(rank: int) -> None:
        outcome = run_tool(
            'train.py', room, RECOGNIZER, '--work-dir', tmp_path / 'work',
            '--launcher', 'pytorch', options=recognizing(room, **{
                DATA: path, 'train_dataloader.batch_size': 2}))
        assert outcome.code == 1
        (tmp_path / f'{rank}.txt').write_text(outcome.stderr)

    assert run_on_processes(2, run) == [0, 0]
    first, second = [(tmp_path / f'{rank}.txt').read_text()
                     for rank in range(2)]
    assert first.count('Error: 8 of 8 training labels') == 1
    assert "'é' (U+00E9) in 8 label(s)" in first
    assert '[process 1]' in second and 'U+00E9' not in second


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
        "custom_hooks = [dict(type='PoisonHook', at=3)]\n")
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
    moved = tmp_path / 'moved'  # which a work dir may be
    work_dir.rename(moved)
    outcome = run_tool('train.py', room, MAE, '--resume', '--work-dir', moved,
                       options=options)
    assert outcome.code == 0, outcome.stderr
    resumed = torch.load(moved / 'epoch_2.pth')['state_dict']
    whole = torch.load(room / 'mae' / 'epoch_2.pth')['state_dict']
    assert all(torch.equal(value, resumed[name])
               for name, value in whole.items())
