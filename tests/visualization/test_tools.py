"""`lmim visualize` and `lmim visualize browse`, as typed."""
from functools import partial
from pathlib import Path
from typing import Any, Dict

import cv2
import numpy as np
import pytest

from lmim.cli.visualize import main
from tests.tool_runs import call_json, mini_config


@pytest.fixture
def run(tmp_path: Path, monkeypatch: Any) -> Any:
    """Run a command with --json in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return partial(call_json, main)


def test_views_and_masks(run, image_folder, tmp_path):
    found = run('views', image_folder, '-n', 9)
    assert found['code'] == 0
    assert [Path(name).name for name in found['pictures']] == [
        '0.png', '1.png', '2.png', '3.png']
    assert len(found['skipped']) == 1
    assert '9_broken.png' in found['skipped'][0]
    assert cv2.imread(found['output']).shape[1] == 5 * 260
    again = run('views', image_folder)
    assert again['code'] == 1 and 'views.png exists' in again['error']
    found = run('mask', image_folder / '1.png', '--config',
                mini_config('pretrain/mae'), '--mask', 'block:0.5',
                '-o', 'm.png')
    assert [mask['type'] for mask in found['masks']] == [
        'RandomMasking', 'BlockMasking']
    assert cv2.imread('m.png').shape[1] == 3 * 260
    found = run('mask', image_folder / '1.png', '--mask', 'ink:0.8',
                'span:0.8', '-o', 'content.png')
    assert [mask['type'] for mask in found['masks']] == [
        'InkMasking', 'CharacterSpanMasking']
    with pytest.raises(SystemExit):
        run('mask', image_folder, '--mask', 'block:1.5')


@pytest.mark.parametrize('kind, columns', [('lmim', 6), ('seqclr', 4),
                                           ('ccd', 5),
                                           ('hsg', 10)])
def test_reconstruction(run, image_folder, checkpoints, kind, columns):
    found = run('reconstruction', image_folder, '--checkpoint',
                checkpoints[kind], '-n', 2)
    assert found['code'] == 0, found
    assert found['compared'] == 4
    assert [Path(name).name for name in found['pictures']] == [
        '0.png', '2.png']
    if kind == 'lmim':
        assert found['error'] > found['error_of_own_mean'] > 0
    elif kind == 'seqclr':
        assert 0 <= found['found'] <= 1
    assert cv2.imread('reconstruction.png').shape[1] == columns * 388


def test_attention(run, image_folder, checkpoints):
    found = run('attention', image_folder, '--checkpoint', checkpoints['mae'],
                checkpoints['recognizer'], '-n', 1)
    assert found['code'] == 0 and Path(found['output']).is_file()
    found = run('attention', image_folder, '--characters', '--checkpoint',
                checkpoints['recognizer'], '-n', 2, '--output', 'c.png')
    assert len(found['texts']) == 2
    # Rows of seven for each word and a line below: at most eight characters
    # make two rows.
    rows = sum(-(-(1 + len(text)) // 7) for text in found['texts'])
    assert cv2.imread('c.png').shape == (rows * 84 + 16, 7 * 260, 3)
    for args, words in (
            (['--characters', '-o', 'd.pdf'], 'is to end in .png'),
            (['--config', 'a', 'b', '-o', 'd.png'], 'name one, or one for'),
            (['--block', 7, '-o', 'd.png'], 'has 4 blocks')):
        found = run('attention', image_folder, '--checkpoint',
                    checkpoints['mae'], *args)
        assert found['code'] == 1 and words in found['error']
    found = run('attention', image_folder, '--characters', '--checkpoint',
                checkpoints['mae'], '-o', 'd.png')
    assert found['code'] == 1 and not Path('d.png').exists()


def test_groups(run, checkpoints):
    small = ('--words', 4, '--train-words', 4, '--steps', 2, '--groups', 3)
    found = run('groups', '--checkpoint', checkpoints['mae'],
                checkpoints['hsg'], *small, '-n', 2)
    assert found['code'] == 0 and found['words'] == 4
    rows = [(row['features'], row['method']) for row in found['scores']]
    assert rows == [
        (name, method) for name in ('mae.pth', 'hsg.pth', 'random encoder')
        for method in ('HSG', 'k-means')] + [
            ('colours', 'k-means'), ('', 'equal widths'), ('', 'letters')]
    assert found['scores'][-1]['ari'] > 0.9
    # Two words; word, letters, and HSG's groups of three encoders.
    assert cv2.imread('groups.png').shape[1] == 5 * 388
    again = run('groups', '--checkpoint', checkpoints['mae'], *small)
    assert again['code'] == 1 and 'groups.png exists' in again['error']
    found = run('groups', '--checkpoint', checkpoints['mae'], '-o', 'a.pdf')
    assert found['code'] == 1 and 'is to end in .png' in found['error']
    for levels in ((3, 4), (300, )):
        found = run('groups', '--checkpoint', checkpoints['mae'], *small,
                    '-o', 'a.png', '--groups', *levels)
        assert found['code'] == 1 and 'are fine to coarse' in found['error']


def sheet_config(tmp_path: Path, kind: str, images: Path) -> Path:
    path = tmp_path / f'{kind.replace("/", "_")}.py'
    data: Dict[str, Any] = dict(paths=str(images))
    if kind == 'textrecog/transformer':
        lines = [f'{number}.png\tword {number}\n' for number in range(4)]
        (images / 'labels.txt').write_text(''.join(lines))
        data = dict(paths=str(images / 'labels.txt'))
    path.write_text(f'_base_ = {str(mini_config(kind))!r}\n'
                    f'train_dataloader = dict(dataset=dict(data_root="", '
                    f'**{data!r}))\n')
    return path


def test_browse_both_views(run, image_folder, tmp_path):
    config = sheet_config(tmp_path, 'pretrain/lmim', image_folder)
    found = run('browse', config, '-n', 9)
    assert found['code'] == 0 and found['datasets'] == [5]
    assert len(found['unreadable']) == 1
    assert [each['stages'] for each in found['records'][:4]] == [
        ['given to the model', 'given to the model: guidance view']] * 4
    sheet = cv2.imread(found['output'])
    assert Path(found['output']).name == 'train_transformed.png'
    # The picture stands twice as large in its place.
    wanted = cv2.resize(cv2.imread(str(image_folder / '0.png')), (128, 32))
    assert np.array_equal(sheet[2:66:2, 2:258:2], wanted)
    assert run('browse', config)['code'] == 1  # the sheet is there
    found = run('browse', config, '--phase', 'val', '-o', 'b')
    assert 'no val_dataloader. It has train' in found['error']


def test_browse_several_views(run, image_folder, tmp_path):
    config = sheet_config(tmp_path, 'pretrain/seqclr', image_folder)
    found = run('browse', config, '-n', 2)
    assert [each['stages'] for each in found['records']] == [
        ['given to the model', 'view 2']] * 2


def test_browse_a_pipeline_step_by_step(run, image_folder, tmp_path):
    config = sheet_config(tmp_path, 'textrecog/transformer', image_folder)
    found = run('browse', config, '-m', 'pipeline')
    assert [each['text'] for each in found['records']] == [
        f'word {number}' for number in range(4)]
    assert found['records'][0]['stages'] == ['as decoded', 'Resize']
    found = run('browse', config, '-m', 'original', '-n', 2)
    assert [each['stages'] for each in found['records']] == [
        ['as decoded']] * 2
    missing = run('browse', config, '-o', 'c', '--cfg-options',
                  'train_dataloader.dataset.paths=nowhere')
    assert missing['code'] == 1 and 'nowhere' in missing['error']
