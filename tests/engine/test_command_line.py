"""What both tools do with their common options, and the data check."""
import argparse
import os
from pathlib import Path
from typing import Any, List

import pytest
from mmengine.config import Config

from lmim.engine.command_line import (add_common_options, load_config,
                                      parse_args)
from lmim.engine.data_check import check_data, find_missing

CONFIG = """
root = '{{$LMIM_DATA_ROOT:data}}'
train_dataloader = dict(dataset=dict(
    type='TextImageDataset', data_root=root, paths=['a', 'b']))
"""


def _args(config: Path, *options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument('config')
    add_common_options(parser, 'x=1')
    argv: List[str] = [str(config)]
    if options:
        argv += ['--cfg-options', *options]
    return parse_args(parser, argv)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Whatever a test sets is put back.
    monkeypatch.setenv('LMIM_DATA_ROOT', '/env')
    monkeypatch.setenv('LOCAL_RANK', '0')
    (tmp_path / 'run.py').write_text(CONFIG)
    return tmp_path / 'run.py'


def test_data_root_reaches_the_config_and_other_processes(
        config: Path) -> None:
    assert load_config(_args(config)).root == '/env'
    cfg = load_config(_args(config, 'data_root=/mnt/data', 'extra.key=3'))
    assert cfg.root == '/mnt/data' and cfg.extra.key == 3
    assert cfg.train_dataloader.dataset.data_root == '/mnt/data'
    assert 'data_root' not in cfg and cfg.launcher == 'none'
    assert cfg.work_dir == './work_dirs/run'
    assert os.environ['LMIM_DATA_ROOT'] == '/mnt/data'


@pytest.mark.parametrize('value', ['a,b', ''])
def test_a_data_root_is_one_folder(config: Path, value: str) -> None:
    with pytest.raises(ValueError, match='is not one folder'):
        load_config(_args(config, f'data_root={value}'))
    assert os.environ['LMIM_DATA_ROOT'] == '/env'


def test_all_that_a_spec_needs_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / 'there').mkdir()
    specs: Any = [dict(path='gone'), dict(path='there', labels='no_labels'),
                  dict(path='there', image_root='no_images')]
    dataset = dict(type='TextImageDataset', data_root=str(tmp_path),
                   paths=specs)
    cfg = Config(dict(
        train_dataloader=dict(dataset=dict(
            type='ConcatDataset', datasets=[dataset])),
        val_dataloader=dict(dataset=dict(
            dataset, paths=dict(path='gone', labels='s3://bucket/x')))))
    where = 'train_dataloader.dataset.datasets.0.paths'
    missing = find_missing(cfg, ('train_dataloader', 'val_dataloader'))
    assert missing[:3] == [
        (f'{where}.0.path', f'{tmp_path}/gone'),
        (f'{where}.1.labels', f'{tmp_path}/no_labels'),
        (f'{where}.2.image_root', f'{tmp_path}/no_images'),
    ]
    with pytest.raises(FileNotFoundError) as error:
        check_data(cfg, ('train_dataloader', ))
    told = str(error.value)
    assert told.startswith('3 path(s) of the data sets do not exist:')
    assert 'data_root=FOLDER' in told and 'tools/data.py list' in told
    # The settings are those that --cfg-options takes.
    cfg.merge_from_dict({name: str(tmp_path) for name, _ in missing[:3]})
    assert find_missing(cfg, ('train_dataloader', )) == []
