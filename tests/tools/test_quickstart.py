"""The quick start: what it reads, and that it does each step once."""
import importlib
import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from mmengine.config import Config

from lmim.comparison.data import HELD_OUT, prepare
from lmim.comparison.protocol import read_protocol
from lmim.datasets import TextImageDataset
from lmim.datasets.records import open_sources
from lmim.utils.errors import UserError

TINY = ['--samples', '34', '40', '--labels', '20', '--pretrain-iters', '4',
        '--finetune-iters', '4']


@pytest.fixture
def module(repo, monkeypatch):
    """Imports a module of tools/quickstart."""
    monkeypatch.syspath_prepend(str(repo / 'tools'))
    monkeypatch.syspath_prepend(str(repo / 'tools/quickstart'))
    return importlib.import_module


def start(repo: Path, *args) -> subprocess.CompletedProcess:
    return subprocess.run(
        ['bash', str(repo / 'tools/quickstart.sh'), *map(str, args)],
        capture_output=True, text=True)


def labels_of(path: Path) -> list:
    source = open_sources(str(path))
    return [source.label(index) for index in range(len(source))]


def test_from_words_to_a_table_and_nothing_twice(repo, tmp_path):
    work = tmp_path / 'work'
    done = start(repo, '--work-dir', work, *TINY)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((work / 'summary.json').read_text())
    assert list(summary['stages']) == ['mae', 'lmim', 'scratch', 'finetune']
    assert all(stage['seconds'] > 0 and stage['images_per_second'] > 0
               for stage in summary['stages'].values())
    scratch, recognizer = (
        summary['stages'][name]['sets']['rendered']
        for name in ('scratch', 'finetune'))
    assert scratch['words'] == recognizer['words'] == 40
    assert 0 <= recognizer['waics'] <= 100
    planned = summary['plan']
    assert (planned['pretrain_iters'], planned['samples']) == (4, [34, 40])
    assert planned['reason'] in done.stdout
    assert summary['versions']['mmocr'] == '1.0.1'
    page = (work / 'results.md').read_text()
    assert 'all 40 test words' in page and '20 labels' in page
    assert f"| lmim-plus | {recognizer['waics']:.1f}" in page
    for name in ('views.png', 'curves.png'):
        assert cv2.imread(str(work / name)).shape[1] > 400
    assert '--data /path/to/your/pictures' in done.stdout

    run = work / 'pretrain/lmim-plus-seed0'
    cfg = Config.fromfile(run / 'config.py')
    assert cfg.model.branches == 'none'
    assert cfg.model.target_generator.norm == 'instance'
    assert str(work / 'pretrain/teacher-seed0') in (
        cfg.model.target_generator.checkpoint)
    checkpoint, = run.glob('iter_*.pth')
    assert (work / 'lmim.pth').read_bytes() == checkpoint.read_bytes()
    assert (work / 'recognizer.pth').is_file()
    before = checkpoint.stat().st_mtime_ns
    (work / 'final/scratch-20-seed0/done.json').unlink()
    again = start(repo, '--work-dir', work, *TINY)
    assert again.returncode == 0, again.stdout + again.stderr
    assert '4 runs, of which 3 are done' in again.stdout
    assert '[1/1] scratch, 20 labels, seed 0: begins' in again.stdout
    assert checkpoint.stat().st_mtime_ns == before

    other = start(repo, '--work-dir', work, '--seed', '1')
    assert other.returncode == 1 and 'other settings (seed=0' in other.stderr


def test_a_failed_step_shows_why_and_is_not_done(repo, tmp_path):
    empty = tmp_path / 'empty'
    empty.mkdir()
    done = start(repo, '--data', empty, '--work-dir', tmp_path / 'work',
                 *TINY)
    assert done.returncode == 1
    assert str(empty) in done.stderr and 'Traceback' not in done.stderr
    assert not list((tmp_path / 'work').rglob('done.json'))


PLAN = dict(pretrain_iters=4, finetune_iters=6, samples=[34, 40],
            precision='fp32')


def protocol_of(module, tmp_path, *options):
    settings = module('settings').parse(
        ['--work-dir', str(tmp_path / 'work'), *map(str, options)])
    plan = module('plan')
    return read_protocol(str(plan.CONFIG), plan.changes(settings, PLAN))


def test_own_labelled_pictures_are_split_and_trained_on(module, shared_data,
                                                        tmp_path):
    toy = shared_data / 'rec_toy_dataset'
    protocol = protocol_of(module, tmp_path, '--data', toy / 'old_label.txt',
                           '--image-root', toy / 'imgs', '--paper')
    assert protocol.updates('teacher') == protocol.updates('lmim') == 4
    sets = prepare(protocol, tmp_path, final=False)
    train, test = (labels_of(path) for path in (
        sets.train['all'], sets.tests[HELD_OUT]))
    assert sorted(train + test) == sorted([
        'GRAND', 'HOTEL', 'HOTEL', 'PACIFIC', '03/09/2009', 'ANING',
        'Virgin', 'america', 'ATTACK', 'DAVIDSON'])
    assert train and test and not set(train) & set(test)


@pytest.mark.parametrize('with_root', [True, False])
def test_a_list_without_labels_is_pretrained_on(module, shared_data,
                                                tmp_path, with_root):
    images = shared_data / 'rec_toy_dataset/imgs'
    root, path = '' if with_root else f'{images}/', tmp_path / 'list.txt'
    path.write_text(''.join(
        f'{root}{image.name}\n' for image in sorted(images.iterdir())))
    protocol = protocol_of(
        module, tmp_path, '--data', path, '--labels', '20',
        *(['--image-root', images] if with_root else []))
    assert protocol.labels == [(20, 6)]
    assert protocol.labelled == str(tmp_path / 'work/data/train.lmdb')
    dataset = TextImageDataset(protocol.unlabelled)
    assert len(dataset) == 10
    assert Path(dataset[0]['img_path']).samefile(images / '1036169.jpg')


def test_wrong_options_are_refused(module, tmp_path, capsys):
    with pytest.raises(SystemExit):
        module('settings').parse(['--pretrain-iters', '0'])
    assert '0 is below 1' in capsys.readouterr().err
    with pytest.raises(UserError, match='does not exist'):
        protocol_of(module, tmp_path, '--data', tmp_path / 'none')


def test_script_is_runnable_from_anywhere(repo, tmp_path):
    done = subprocess.run(
        [sys.executable, str(repo / 'tools/quickstart'), '--help'],
        cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and '--data PATH' in done.stdout
