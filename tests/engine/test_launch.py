"""What training and testing do with their options, and how they end."""
import argparse
import inspect
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest
import torch

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
        _args(config, 'data_root=/mnt/data', 'extra.key=3'))
    assert cfg.root == '/mnt/data' and cfg.extra.key == 3
    assert cfg.train_dataloader.dataset.data_root == '/mnt/data'
    assert 'data_root' not in cfg and cfg.launcher == 'none'
    assert cfg.work_dir == './work_dirs/run'
    assert os.environ['LMIM_DATA_ROOT'] == '/mnt/data'


@pytest.mark.parametrize('value', ['a,b', ''])
def test_a_data_root_is_one_folder(config: Path, value: str) -> None:
    with pytest.raises(ValueError, match='is not one folder'):
        launch.load_config(_args(config, f'data_root={value}'))
    assert os.environ['LMIM_DATA_ROOT'] == '/env'


#: Blocks of 64 MB, before and after. The function alone: lmim takes seconds
#: to import.
PROGRAM = f"""
import ctypes, platform, resource, torch

{inspect.getsource(launch.hold_freed_memory)}

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

for hold in (lambda: True, hold_freed_memory):
    assert hold()
    for _ in range(24):  # at first some do not fit beside one another
        before = faults()
        torch.ones(2**24)
    print(faults() - before)
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != 'glibc' or torch.cuda.is_available(),
    reason='for CPUs and glibc')
def test_large_blocks_are_not_asked_for_again() -> None:
    given_back, held = map(int, subprocess.run(
        [sys.executable, '-c', PROGRAM], text=True, check=True,
        stdout=subprocess.PIPE).stdout.split())
    assert held < given_back / 3
