"""`lmim compare`: each config's runs, and the command around them."""
import json
from pathlib import Path
from typing import Any, List

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config

from lmim.cli.compare import main
from lmim.comparison import one_run
from lmim.comparison.data import prepare
from lmim.comparison.protocol import read_protocol
from lmim.comparison.runs import finetunings, pretrainings
from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.engine.hooks.checkpoint_hook import find_resumable
from lmim.utils.errors import UserError

REPO = Path(__file__).resolve().parents[2]
CONFIGS = sorted((REPO / 'configs/comparison').glob('*.py'))


def write(path: Path, count: int = 60) -> None:
    image = cv2.imencode('.png', np.zeros((8, 20, 3), np.uint8))[1].tobytes()
    with LMDBWriter(path) as writer:
        for number in range(count):
            writer.add(image, f'word{number}')


@pytest.fixture
def data_root(tmp_path: Path, monkeypatch) -> Path:
    """Words wherever the configs look for them."""
    monkeypatch.setenv('LMIM_DATA_ROOT', str(tmp_path))
    for name in ('rendered/train.lmdb', 'rendered/test.lmdb',
                 'receipts/train', 'receipts/test', 'real/unlabelled',
                 'real/train/iiit5k', 'real/train/svt', 'real/train/ic15',
                 'real/train/ic03_clean',
                 'real/test/iiit5k', 'real/test/svt', 'real/test/ic13_1095',
                 'real/test/ic15_2077'):
        write(tmp_path / name)
    return tmp_path


@pytest.mark.parametrize('path', CONFIGS, ids=[path.stem for path in CONFIGS])
def test_all_runs_of_a_config_are_configs(path, data_root, tmp_path):
    protocol = read_protocol(str(path), {})
    protocol = protocol._replace(
        seeds=[3], labels=[protocol.labels[-1]._replace(words=20)],
        compared=[name for name, method in protocol.methods.items()
                  if method.share == 1])
    work = tmp_path / 'work'
    tasks = pretrainings(protocol, work)
    # As if all were done.
    for task in tasks:
        (work / task.name).mkdir(parents=True)
        (work / task.name / 'iter_9.pth').write_bytes(b'x')
    sets = prepare(protocol, work, final=True)
    tuned = finetunings(protocol, sets, work)
    assert {task.name.split('-20')[0] for task in tuned} == {
        f'final/{name}' for name in protocol.compared}
    for task in [*tasks, *tuned]:
        assert set(task.needs) <= {done.name for done in tasks}
        assert task.command()[-1] == str(work / task.name)
        cfg = Config.fromfile(work / task.name / 'config.py')
        assert cfg.randomness.seed == 3
        updates = (cfg.train_cfg.max_epochs *
                   cfg.train_dataloader.sampler.epoch_length /
                   cfg.train_dataloader.batch_size)
        assert updates * cfg.train_dataloader.batch_size == pytest.approx(
            task.images, rel=0.02)
        checkpoint = (
            cfg.model.backbone.get('vit', cfg.model.backbone).init_cfg or {}
            if task in tuned else cfg.model.get('target_generator', {})
        ).get('checkpoint')
        assert checkpoint == (
            str(work / task.needs[0] / 'iter_9.pth') if task.needs else None)
        if task.name.startswith('pretrain/'):
            paths = cfg.train_dataloader.dataset.get('paths')
            assert (paths is None) == task.name.startswith('pretrain/darling')
        # Each test set is measured by its name.
        if task in tuned:
            assert cfg.test_evaluator.dataset_prefixes == list(protocol.tests)
            assert len(cfg.test_dataloader.dataset.datasets) == len(
                protocol.tests)


def test_each_method_of_the_ablation_trains(data_root, tmp_path,
                                            monkeypatch):
    """Two updates, and probes of the encoder; the teacher first."""
    monkeypatch.setattr(one_run, 'PROBE_WORDS', 12)
    protocol = read_protocol(
        str(REPO / 'configs/comparison/ablation_vit-mini.py'), {})
    protocol = protocol._replace(
        seeds=[0], views=1, batch_size=4, precision='fp32',
        options={'default_hooks.pictures.enable': False,
                 'train_dataloader.num_workers': 0,
                 'train_dataloader.persistent_workers': False},
        # The others differ from these by options of the same names.
        compared=['mae', 'warm-start', 'whitened', 'variance', 'infonce',
                  'ema', 'two-masks', 'ink', 'span', 'seqclr'])
    for task in pretrainings(protocol, tmp_path / 'work'):
        folder = Path(task.command()[-1])
        one_run.main(folder)
        probes = json.loads((folder / 'result.json').read_text())['probes']
        assert probes['cls_norm'] > 0, task.name
        assert 0 <= probes['character_accuracy'] <= 1
        assert find_resumable(folder).endswith('iter_4.pth')


def test_a_resumed_run_is_evaluated_by_its_last_checkpoint(
        data_root, tmp_path):
    """Not by the one that it was resumed from, which may be gone by then."""
    protocol = read_protocol(
        str(REPO / 'configs/comparison/quickstart_vit-mini.py'), {})
    work = tmp_path / 'work'
    protocol = protocol._replace(
        seeds=[0], compared=['scratch'], recognizer_batch_size=2,
        labels=[protocol.labels[0]._replace(words=20, batches=8)],
        precision='fp32', recognizer_options={
            'train_dataloader.num_workers': 0,
            'train_dataloader.persistent_workers': False,
            'test_dataloader.num_workers': 0,
            'test_dataloader.persistent_workers': False,
            'default_hooks.checkpoint.interval': 2})
    task, = finetunings(protocol, prepare(protocol, work, True), work)
    folder = Path(task.command()[-1])
    one_run.main(folder)
    (folder / 'result.json').unlink()
    last = Path(find_resumable(folder))
    assert last.name == 'iter_8.pth'
    # As it was after six updates.
    earlier = torch.load(last)
    earlier['meta'].update(iter=6, epoch=1)
    earlier['message_hub']['runtime_info'].update(iter=6, epoch=1)
    torch.save(earlier, folder / 'iter_6.pth')
    (folder / 'last_checkpoint').write_text(str(folder / 'iter_6.pth'))
    last.unlink()
    one_run.main(folder)
    assert {path.name for path in folder.glob('*_benchmark.json')} == {
        'iter_8_benchmark.json'}
    found = json.loads((folder / 'result.json').read_text())['sets']
    assert found['rendered']['words'] == 60
    assert 0 <= found['rendered']['waics'] <= 100


def test_a_run_with_other_settings_is_not_overwritten(data_root, tmp_path):
    protocol = read_protocol(
        str(REPO / 'configs/comparison/quickstart_vit-mini.py'), {})
    first = pretrainings(protocol, tmp_path / 'work')[0]
    first.command()
    assert first.command()  # the same again
    other = pretrainings(protocol._replace(batch_size=8),
                         tmp_path / 'work')[0]
    with pytest.raises(UserError, match='holds a run with other settings'):
        other.command()


def run(capsys, *args: Any) -> List[Any]:
    status = main([*map(str, args), '--json'])
    return [status, json.loads(capsys.readouterr().out)]


def test_ones_own_pictures_on_the_command_line(data_root, tmp_path, capsys):
    write(tmp_path / 'mine', 80)
    args = [REPO / 'configs/comparison/quickstart_vit-mini.py', '--work-dir',
            tmp_path / 'work', '--labelled', tmp_path / 'mine',
            '--unlabelled', tmp_path / 'mine', '--labels', '10', 'all',
            '--seeds', '5', '--methods', 'scratch', 'mae', '--dry-run']
    status, result = run(capsys, *args)
    assert status == 0 and result['runs'] == [
        'pretrain/mae-seed5', 'decide/scratch-10-seed5',
        'decide/mae-10-seed5', 'decide/scratch-all-seed5',
        'decide/mae-all-seed5']
    assert (tmp_path / 'work/precision.txt').read_text() in ('fp32', 'bf16')
    # All is done: nothing is run, and the tables are written.
    for name in result['runs']:
        (tmp_path / 'work' / name).mkdir(parents=True)
        (tmp_path / 'work' / name / 'done.json').write_text(json.dumps(dict(
            seconds=60., sets={'held-out': dict(words=16, waics=50.)})))
    status, result = run(capsys, *args[:-1])
    assert status == 0 and result['done'] == 5
    assert [Path(path).name for path in result['files']] == [
        'decide.md', 'decide.json', 'decide.png']
    assert '| mae     | 50.0      | 50.0       | 60 s         |' in (
        result['page'])


def test_what_is_wrong_is_said(data_root, tmp_path, capsys):
    config = REPO / 'configs/comparison/quickstart_vit-mini.py'
    status, result = run(capsys, config, '--work-dir', tmp_path / 'work',
                         '--methods', 'nothing')
    assert status == 1 and "no method 'nothing'" in result['error']
