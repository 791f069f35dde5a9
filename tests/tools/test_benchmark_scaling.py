"""`tools/benchmark.py memory, parallel, scaling, startup`."""
import argparse
import importlib
import json
import os
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
import torch
from mmengine.config import Config


@pytest.fixture
def module(repo: Path, monkeypatch: pytest.MonkeyPatch
           ) -> Callable[[str], Any]:
    """Imports a module of tools/benchmarks."""
    monkeypatch.syspath_prepend(str(repo / 'tools'))
    return lambda name: importlib.import_module(f'benchmarks.{name}')


def parse(benchmark: Any, *words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    benchmark.add_arguments(parser)
    return parser.parse_args(words)


def here(function: Callable, *args: Any, **kwargs: Any) -> Any:
    """Instead of a child, which would import everything again."""
    return function(*args)


class FakeModel:
    """Notes the images of each step."""

    def __init__(self) -> None:
        self.backbone = argparse.Namespace(with_cp=None)
        self.images: List[int] = []

    def train(self) -> 'FakeModel':
        return self

    def train_step(self, data: Dict[str, Any], wrapper: Any) -> None:
        assert [view.shape[1:] for view in data['inputs']] == [
            (3, 32, 128)] * 2
        self.images += [len(view) for view in data['inputs'][:1]]


def test_memory_of_each_way(module: Callable,
                            monkeypatch: pytest.MonkeyPatch) -> None:
    trade = module('memory_trade')
    models: List[FakeModel] = []
    counts: List[int] = []

    def built(arch: str, device: str) -> FakeModel:
        models.append(FakeModel())
        return models[-1]

    monkeypatch.setattr(trade, 'in_a_child', here)
    monkeypatch.setattr(trade, 'build_pretrain', built)
    monkeypatch.setattr(
        trade, 'optimizer_of', lambda *args, accumulative_counts:
        counts.append(accumulative_counts))
    benchmark = trade.MemoryBenchmark()
    result = benchmark.run(parse(
        benchmark, '--arch', 'mini', '--batch', '4', '--accumulate', '1', '2',
        '--rounds', '1', '--precision', 'fp32', '--device', 'cpu'))
    # To warm up, for the memory, and for the time.
    assert [model.images for model in models] == [
        [4] * 3, [4] * 3, [2] * 6, [2] * 6]
    assert counts == [1, 1, 2, 2]
    ways = [(row['accumulate'], row['with_cp']) for row in result['rows']]
    assert ways == [(1, False), (1, True), (2, False), (2, True)]
    assert [model.backbone.with_cp for model in models] == [
        False, True, False, True]
    assert result['rows'][0]['time_ratio'] == 1
    for row in result['rows']:
        assert row['seconds'] > 0
    lines = benchmark.report(result).splitlines()
    assert lines[0] == 'LMIM, ViT mini, 4 images a step, fp32 on cpu'
    assert [line.split()[:2] for line in lines[2:]] == [
        ['1', 'no'], ['1', 'yes'], ['2', 'no'], ['2', 'yes']]
    with pytest.raises(ValueError, match='cannot be divided by'):
        benchmark.run(parse(benchmark, '--batch', '4', '--accumulate', '3'))


def test_a_step_of_parts_is_one_update(module: Callable) -> None:
    trade = module('memory_trade')
    models = module('models')
    model = models.build_pretrain('mini', 'cpu').train()
    wrapper = models.optimizer_of(model, 'pretrain_adamw_cosine', 'fp32',
                                  accumulative_counts=2)
    updates: List[int] = []
    step = wrapper.step
    wrapper.step = lambda **kwargs: (updates.append(1), step(**kwargs))
    trade._step(model, wrapper, 1, 2, 'cpu')
    trade._step(model, wrapper, 1, 2, 'cpu')
    assert len(updates) == 2


def test_reading_a_set(module: Callable, tmp_path: Path,
                       monkeypatch: pytest.MonkeyPatch) -> None:
    sets = module('reader_sets')
    scaling = module('scaling')
    monkeypatch.setattr(scaling, 'BATCH', 8)
    sets.make_lmdb(tmp_path / 'set', 20, sets.pictures())
    threads = torch.get_num_threads()
    try:
        found = scaling.read_set(tmp_path / 'set', 40)
    finally:
        torch.set_num_threads(threads)
    assert set(found) == {'first_s', 'picture_us', 'main_mb', 'worker_mb'}
    assert 1 < found['worker_mb'] < 2000 and found['picture_us'] > 50


EVENTS: List[Dict[str, Any]] = [
    dict(event='built', time=2.), dict(event='start', time=3.),
    *(dict(event='step', time=each) for each in (10., 11., 13.)),
    dict(event='epoch', time=14., own=2**20),
    *(dict(event='step', time=each) for each in (30., 31., 35.)),
    dict(event='epoch', time=36., own=3 * 2**20)]


def test_time_between_epochs_is_not_that_of_steps(module: Callable) -> None:
    times = module('training_runs').step_times
    assert times(EVENTS, skip=0) == [1., 2., 1., 4.]
    assert times(EVENTS, skip=2) == [1., 4.]


def test_rows_of_epochs(module: Callable) -> None:
    scaling = module('scaling')
    rows = scaling._epochs(EVENTS)
    assert [row['main_mb'] for row in rows] == [1., 3.]
    assert [row['picture_us'] for row in rows] == [
        round(seconds / 64 * 1e6, 1) for seconds in (2., 4.)]
    many = [dict(epoch=number) for number in range(1, 41)]
    picked = [row['epoch'] for row in scaling._some(many)]
    assert len(picked) == 10 and (picked[0], picked[-1]) == (1, 40)


class FakeRun:
    """Notes how it is started; each process takes steps of `seconds`."""
    started: List[Dict[str, Any]] = []
    seconds = {1: 1., 2: 1.25}

    def __init__(self, config: str, data: Path, folder: Path,
                 settings: Dict[str, Any], processes: int = 1,
                 cores: Any = None) -> None:
        self.processes = processes
        self.began = 1.
        self.started.append(dict(settings=settings, processes=processes,
                                 cores=cores, data=data))
        assert data.is_dir() and not folder.exists()

    def events(self, rank: int = 0) -> List[Dict[str, Any]]:
        step = self.seconds[self.processes]
        return [dict(event='built', time=3.), dict(event='start', time=4.),
                *(dict(event='step', time=10 + step * number)
                  for number in range(5))]

    def stop(self) -> None:
        pass


@pytest.mark.skipif(not hasattr(os, 'sched_getaffinity'),
                    reason='cores are not told here')
def test_share_of_two_apart(module: Callable,
                            monkeypatch: pytest.MonkeyPatch) -> None:
    parallel = module('parallel')
    monkeypatch.setattr(parallel, 'TrainingRun', FakeRun)
    monkeypatch.setattr(FakeRun, 'started', [])
    monkeypatch.setattr(os, 'sched_getaffinity', lambda pid: {3, 5, 7})
    benchmark = parallel.ParallelBenchmark()
    args = parse(benchmark, '--batch', '10', '--rounds', '2', '--arch',
                 'mini', '--ways', 'as configured', 'static graph',
                 'every 4th step')
    result = benchmark.run(args)
    assert result['rows']['apart']['median'] == 20.
    assert result['rows']['static graph']['median'] == 16.
    assert result['rows']['static graph']['share'] == 0.8
    assert len(result['rows']['as configured']['rounds']) == 2
    first, second, plain, static, fourth = FakeRun.started[:5]
    assert (first['cores'], second['cores']) == ([3], [5])
    assert plain['cores'] == [3, 5] and plain['processes'] == 2
    assert 'model_wrapper_cfg' not in plain['settings']
    assert static['settings']['model_wrapper_cfg'] == dict(
        type='MMDistributedDataParallel', broadcast_buffers=False,
        static_graph=True)
    assert fourth['settings']['optim_wrapper']['accumulative_counts'] == 4
    assert first['data'].name == 'words1' and plain['data'].name == 'words2'
    assert '80.0%' in benchmark.report(result)
    monkeypatch.setattr(os, 'sched_getaffinity', lambda pid: {3})
    with pytest.raises(ValueError, match='2 cores are needed'):
        benchmark.run(args)


def test_stages_of_the_start(module: Callable,
                             monkeypatch: pytest.MonkeyPatch) -> None:
    startup = module('startup')
    monkeypatch.setattr(startup, 'TrainingRun', FakeRun)
    benchmark = startup.StartupBenchmark()
    result = benchmark.run(parse(benchmark, '--rounds', '2'))
    assert result['rounds'] == [dict(built=2., start=3., step=9.)] * 2
    assert 'first step after 9.0 s (median); goal 15 s' in benchmark.report(
        result)


def test_a_real_run(module: Callable, tmp_path: Path) -> None:
    """A user's command, with the clock in it."""
    sets = module('reader_sets')
    runs = module('training_runs')
    sets.make_lmdb(tmp_path / 'words', 12, sets.pictures())
    run = runs.TrainingRun(
        'pretrain/mae/mae_vit-mini_1xb64_rendered.py', tmp_path / 'words',
        tmp_path / 'run',
        dict(train_dataloader=dict(batch_size=4, num_workers=0,
                                   persistent_workers=False)))
    try:
        events = run.events()
    finally:
        run.stop()
    assert [each['event'] for each in events] == [
        'built', 'start', *['step'] * 3, 'epoch', *['step'] * 3, 'epoch']
    moments = [run.began, *(each['time'] for each in events)]
    assert moments == sorted(moments)
    assert events[-1]['own'] > 2**20
    config = Config.fromfile(tmp_path / 'run' / 'config.py')
    assert config.train_dataloader.dataset.paths == str(tmp_path / 'words')
    json.dumps(events)


def test_a_run_that_fails_is_told(module: Callable, tmp_path: Path,
                                  monkeypatch: pytest.MonkeyPatch) -> None:
    runs = module('training_runs')
    (tmp_path / 'train.py').write_text('raise OSError("no such words")')
    monkeypatch.setattr(runs, 'TOOLS', tmp_path)
    run = runs.TrainingRun('any.py', tmp_path, tmp_path / 'run', {})
    with pytest.raises(OSError, match='ended with 1:(.|\n)*no such words'):
        run.events()
