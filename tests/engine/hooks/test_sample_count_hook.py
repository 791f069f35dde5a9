"""Data sets are told with the published number of records."""
from pathlib import Path
from types import SimpleNamespace
from typing import Any, List

import pytest
from mmocr.registry import DATASETS

from lmim.engine import SampleCountHook
from tests.datasets.make_lmdb import make_lmdb, picture


class Log:
    """A logger that keeps what it is told."""

    def __init__(self) -> None:
        self.infos: List[str] = []
        self.warnings: List[str] = []
        self.info, self.warning = self.infos.append, self.warnings.append


def _loop(*datasets: Any) -> Any:
    both = dict(type='ConcatDataset', datasets=list(datasets),
                _scope_='mmocr')
    return SimpleNamespace(dataloader=SimpleNamespace(
        dataset=DATASETS.build(both)))


def _set(path: Path, count: int, **published: Any) -> Any:
    make_lmdb(path, [picture(1)] * count)
    return dict(type='TextImageDataset', paths=str(path), pipeline=[],
                published=published or None)


@pytest.fixture
def runner(tmp_path: Path) -> Any:
    train = _loop(_set(tmp_path / 'mine', 5))
    test = _loop(
        _set(tmp_path / 'a', 3, name='A', num_samples=3, labels='original'),
        _set(tmp_path / 'b', 2, name='B', num_samples=1015,
             labels='corrected'))
    return SimpleNamespace(logger=Log(), train_loop=train, val_loop=None,
                           test_loop=test)


def test_a_table_and_what_differs(runner: Any) -> None:
    SampleCountHook().before_test(runner)
    assert runner.logger.infos == [
        'Data sets for test:\n'
        '  set  labels     records  published\n'
        '  A    original         3          3\n'
        '  B    corrected        2      1,015'
    ]
    assert len(runner.logger.warnings) == 1
    assert runner.logger.warnings[0].startswith(
        'B has 2 records, and 1,015 are published: results are not '
        'comparable with published ones.')


def test_sets_without_facts_and_each_use_once(runner: Any,
                                              tmp_path: Path) -> None:
    hook = SampleCountHook()
    hook.before_train(runner)
    assert runner.logger.infos == [
        'Data sets for training:\n'
        f'  {"set":<{len(str(tmp_path / "mine"))}}  labels  records  '
        'published\n'
        f'  {tmp_path / "mine"}  -             5          -'
    ]
    runner.val_loop = runner.test_loop
    for _ in range(2):
        hook.before_val(runner)
    assert len(runner.logger.infos) == 2
    assert runner.logger.infos[1].startswith('Data sets for validation:\n')
    assert len(runner.logger.warnings) == 1
