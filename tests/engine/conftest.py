"""Fixtures of the engine's tests."""
from pathlib import Path
from typing import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """One thread, as the command line runs of these tests have."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope='module')
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The work dir of an uninterrupted run with a checkpoint an iteration."""
    from engine_dummies import make_cfg, train
    work_dir = tmp_path_factory.mktemp('finished')
    train(make_cfg(work_dir))
    return work_dir
