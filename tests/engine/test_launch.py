"""What training and testing do with their options, and how they end."""
import argparse
import os
from pathlib import Path
from typing import List

import pytest

from lmim.engine import launch

CONFIG = """
root = '{{$LMIM_DATA_ROOT:data}}'
train_dataloader = dict(dataset=dict(
    type='TextImageDataset', data_root=root, paths=['a', 'b']))
"""


def _args(config: Path, *options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument('config')
    launch.add_common_options(parser, 'x=1')
    argv: List[str] = [str(config)]
    if options:
        argv += ['--cfg-options', *options]
    return launch.parse_args(parser, argv)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Whatever a test sets is put back.
    monkeypatch.setenv('LMIM_DATA_ROOT', '/env')
    monkeypatch.setenv('LOCAL_RANK', '0')
    (tmp_path / 'run.py').write_text(CONFIG)
    return tmp_path / 'run.py'


def test_data_root_reaches_the_config_and_other_processes(
        config: Path) -> None:
    assert launch.load_config(_args(config)).root == '/env'
    cfg = launch.load_config(
        _args(config, 'data_root=/mnt/data', 'train_dataloader.batch_size=3'))
    assert cfg.root == '/mnt/data' and cfg.train_dataloader.batch_size == 3
    assert cfg.train_dataloader.dataset.data_root == '/mnt/data'
    assert 'data_root' not in cfg and cfg.launcher == 'none'
    assert cfg.work_dir == './work_dirs/run'
    assert os.environ['LMIM_DATA_ROOT'] == '/mnt/data'


@pytest.mark.parametrize('value', ['[a,b]', ''])
def test_a_data_root_is_one_folder(config: Path, value: str) -> None:
    with pytest.raises(ValueError, match='is not one folder'):
        launch.load_config(_args(config, f'data_root={value}'))
    assert os.environ['LMIM_DATA_ROOT'] == '/env'
