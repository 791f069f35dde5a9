"""The quick start: what it reads, and that it does each step once."""
import argparse
import importlib
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config, DictAction
from mmocr.registry import DATASETS

from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.datasets.records import open_sources
from lmim.datasets.splitting import word_key

TINY = ['--samples', '34', '40', '--pretrain-iters', '4',
        '--finetune-iters', '4']


@pytest.fixture
def module(repo, monkeypatch):
    """Imports a module of tools/quickstart."""
    monkeypatch.syspath_prepend(str(repo / 'tools/quickstart'))
    return importlib.import_module


def start(repo: Path, *args) -> subprocess.CompletedProcess:
    return subprocess.run(
        ['bash', str(repo / 'tools/quickstart.sh'), *map(str, args)],
        capture_output=True, text=True)


def labels_of(path: Path) -> list:
    source = open_sources(str(path))
    return [source.label(index) for index in range(len(source))]


def picture(value: int) -> bytes:
    image = np.full((12, 30, 3), value, np.uint8)
    return cv2.imencode('.png', image)[1].tobytes()


def test_from_words_to_a_table_and_nothing_twice(repo, tmp_path):
    work = tmp_path / 'work'
    done = start(repo, '--work-dir', work, *TINY)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((work / 'summary.json').read_text())
    assert list(summary['stages']) == [
        'data', 'mae', 'lmim', 'finetune', 'scratch', 'evaluate-finetune',
        'evaluate-scratch']
    assert all(stage['seconds'] > 0 and stage['images_per_second'] > 0
               for stage in summary['stages'].values())
    assert summary['samples'] == {'pretrain': 34, 'train': 34, 'test': 40}
    for value in summary['waics'].values():
        assert 0 <= value <= 100
    planned = summary['plan']
    assert (planned['pretrain_iters'], planned['samples']) == (4, [34, 40])
    assert planned['reason'] in done.stdout
    assert summary['versions']['mmocr'] == '1.0.1'
    row = (work / 'results.md').read_text().splitlines()[2]
    assert '| 40 ' in row and f"{summary['waics']['lmim']:.2f} %" in row
    for name in ('views.png', 'curves.png'):
        assert cv2.imread(str(work / name)).shape[1] > 400
    assert '--data /path/to/your/pictures' in done.stdout

    checkpoint = work / 'lmim' / 'iter_4.pth'
    assert (work / 'lmim.pth').read_bytes() == checkpoint.read_bytes()
    assert (work / 'recognizer.pth').is_file()
    before = checkpoint.stat().st_mtime_ns
    (work / 'evaluate-scratch/done.json').unlink()
    again = start(repo, '--work-dir', work, *TINY)
    assert again.returncode == 0, again.stdout + again.stderr
    assert 'lmim: done before' in again.stdout
    assert '[1/1] evaluation, from scratch: begins' in again.stdout
    assert checkpoint.stat().st_mtime_ns == before

    other = start(repo, '--work-dir', work, '--seed', '1')
    assert other.returncode == 1 and 'other settings (seed=0' in other.stderr


def test_own_labelled_pictures_are_split_and_trained_on(repo, shared_data,
                                                        tmp_path):
    done = start(
        repo, '--data', shared_data / 'rec_toy_dataset/old_label.txt',
        '--image-root', shared_data / 'rec_toy_dataset/imgs', '--work-dir',
        tmp_path / 'work', '--stages', 'data,mae', *TINY)
    assert done.returncode == 0, done.stdout + done.stderr
    data = tmp_path / 'work/data'
    labels = {part: labels_of(data / f'{part}.lmdb')
              for part in ('train', 'test')}
    assert sorted(labels['train'] + labels['test']) == sorted([
        'GRAND', 'HOTEL', 'HOTEL', 'PACIFIC', '03/09/2009', 'ANING',
        'Virgin', 'america', 'ATTACK', 'DAVIDSON'])
    assert labels['train'] and labels['test']
    assert not set(labels['train']) & set(labels['test'])
    assert (tmp_path / 'work/mae/done.json').is_file()


def test_a_failed_step_shows_why_and_is_not_done(repo, tmp_path):
    empty = tmp_path / 'empty'
    empty.mkdir()
    done = start(repo, '--data', empty, '--work-dir', tmp_path / 'work',
                 *TINY)
    assert done.returncode == 1
    assert str(empty) in done.stderr and 'Traceback' not in done.stderr
    assert not list((tmp_path / 'work').rglob('done.json'))


@pytest.mark.parametrize('with_root', [True, False])
def test_a_list_without_labels_is_pretrained_on(module, shared_data,
                                                tmp_path, with_root):
    """Its place reaches the config through the command line."""
    images = shared_data / 'rec_toy_dataset/imgs'
    root, path = '' if with_root else f'{images}/', tmp_path / 'list.txt'
    path.write_text(''.join(
        f'{root}{image.name}\n' for image in sorted(images.iterdir())))
    sets = module('pictures').choose(
        str(path), str(images) if with_root else None, tmp_path)
    assert sets.train == tmp_path / 'data/train.lmdb'
    stages = module('stages')
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    cfg = Config.fromfile(stages.MAE)
    cfg.merge_from_dict(parser.parse_args([
        '--cfg-options', *stages.data_options('train', sets.pretrain)
    ]).cfg_options)
    dataset = DATASETS.build(
        dict(cfg.train_dataloader.dataset, pipeline=[], _scope_='mmocr'))
    assert len(dataset) == 10
    assert dataset[0]['img_path'] == str(images / '1036169.jpg')


@pytest.mark.parametrize('name, text', [
    ('list.txt', 'a.png\tone two\n\nb.png\ttwo\n'),
    ('list.jsonl', '{"filename": "a.png", "text": "one two"}\n'
     '{"filename": "b.png", "text": "two"}\n'),
    ('list.json', json.dumps({'data_list': [
        {'img_path': 'a.png', 'instances': [{'text': 'one two'}]},
        {'img_path': 'b.png', 'instances': [{'text': 'two'}]}]})),
])
def test_lists_are_split(module, tmp_path, name, text):
    for picture_name in 'ab':
        (tmp_path / f'{picture_name}.png').write_bytes(picture(3))
    path = tmp_path / name
    path.write_text(text, encoding='utf-8')
    assert module('pictures').is_labelled(str(path))
    assert module('pictures').split(str(path), tmp_path / 'out') == []
    assert sorted(labels_of(tmp_path / 'out/train.lmdb') +
                  labels_of(tmp_path / 'out/test.lmdb')) == ['one two', 'two']


def test_kinds_of_data_are_told_apart(module, tmp_path):
    pictures = module('pictures')
    for name, label in (('labelled', 'word'), ('bare', None)):
        with LMDBWriter(tmp_path / name) as writer:
            writer.add(picture(9), label)
    assert pictures.is_labelled(str(tmp_path / 'labelled'))
    assert not pictures.is_labelled(str(tmp_path / 'bare'))
    assert not pictures.is_labelled(str(tmp_path))
    with pytest.raises(SystemExit, match='does not exist'):
        pictures.is_labelled(str(tmp_path / 'none'))


def test_unreadable_records_are_left_out_and_named(module, tmp_path):
    pictures = module('pictures')
    words = ['alpha', 'beta', 'gamma', 'delta', 'one', 'two', 'three']
    with LMDBWriter(tmp_path / 'mixed.lmdb') as writer:
        for number, word in enumerate(words):
            writer.add(picture(number) if number else b'broken', word)
        writer.add(picture(8))
    unreadable = pictures.split(
        str(tmp_path / 'mixed.lmdb'), tmp_path / 'out')
    name = f'{tmp_path / "mixed.lmdb"} image-00000000'
    assert len(unreadable) == 2
    assert unreadable[0].startswith(f'{name}1: its 6 bytes are no image')
    assert unreadable[1] == f'{name}8: it has no label'
    found = {part: labels_of(tmp_path / f'out/{part}.lmdb')
             for part in ('train', 'test')}
    assert sorted(found['train'] + found['test']) == sorted(words[1:])
    held_out = pictures.test_words({word_key(word) for word in words})
    assert {word_key(word) for word in found['test']} == (
        held_out - {b'alpha'})


def test_about_a_fifth_of_the_words_is_held_out(module):
    test_words = module('pictures').test_words
    words = {b'word%d' % number for number in range(1000)}
    assert 160 < len(test_words(words)) < 240
    for number in range(20):  # of two words always one
        assert len(test_words({b'%d' % number, b'other'})) == 1
    assert test_words({b'one'}) == test_words(set()) == set()


def test_pictures_that_cannot_be_split_leave_nothing(module, tmp_path):
    (tmp_path / 'a.png').write_bytes(picture(3))
    path = tmp_path / 'list.txt'
    path.write_text('a.png one\na.png One\n')
    with pytest.raises(SystemExit, match='2 and 0 of 2 can be read'):
        module('pictures').split(str(path), tmp_path / 'out')
    assert not list((tmp_path / 'out').glob('*.lmdb'))


def test_wrong_options_are_refused(module, capsys):
    for argv, message in ((['--stages', 'bake'], 'not bake'),
                          (['--pretrain-iters', '0'], 'at least 1')):
        with pytest.raises(SystemExit):
            module('settings').parse(argv)
        assert message in capsys.readouterr().err


def test_script_is_runnable_from_anywhere(repo, tmp_path):
    done = subprocess.run(
        [sys.executable, str(repo / 'tools/quickstart'), '--help'],
        cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and '--data PATH' in done.stdout
