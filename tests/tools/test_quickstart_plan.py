"""The quick start's plan and what it says of the time that is left."""
import json

import pytest


@pytest.fixture
def module(repo, monkeypatch):
    """Imports a module of tools/quickstart."""
    import importlib
    monkeypatch.syspath_prepend(str(repo / 'tools/quickstart'))
    return importlib.import_module


@pytest.fixture
def plan(module):
    return module('plan')


def settings(module, tmp_path, *options):
    return module('settings').parse(
        ['--work-dir', str(tmp_path / 'work'), *options])


def machine(plan, streams=2, scale=1.):
    """A processor without bfloat16, or one some times as slow."""
    return plan.Machine(
        'fp32', 'matrix product on cpu: fp32 73, bf16 9 GFLOP/s', threads=1,
        streams=streams, startup=6., steps={
            'mae': 0.04 * scale, 'lmim': 0.14 * scale,
            'finetune': 0.07 * scale})


def longest(plan, found):
    return plan.expected_seconds(found['seconds'], found['streams'])


@pytest.mark.parametrize('streams', [1, 2])
@pytest.mark.parametrize('scale', [0.3, 1., 3.])
@pytest.mark.parametrize('seconds', [240., 420.])
def test_the_time_is_used_and_kept(module, plan, tmp_path, streams, scale,
                                   seconds):
    found = plan.make_plan(settings(module, tmp_path),
                           machine(plan, streams, scale), seconds)
    assert 0.75 * seconds < longest(plan, found) < 0.95 * seconds
    batches = found['samples'][0] / plan.BATCH
    assert found['pretrain_iters'] % batches == 0
    assert found['finetune_iters'] % batches == 0
    assert found['pretrain_iters'] * 3 == found['finetune_iters'] * 2
    assert found['samples'][0] <= plan.WORDS


def test_a_fast_machine_does_more(module, plan, tmp_path):
    slow, fast = (
        plan.make_plan(settings(module, tmp_path), machine(plan, scale=scale),
                       400.)['finetune_iters'] for scale in (1., 0.25))
    assert 3 < fast / slow < 6


def test_too_little_time_still_trains(module, plan, tmp_path):
    found = plan.make_plan(settings(module, tmp_path), machine(plan), 10.)
    assert found['pretrain_iters'] == 2 * plan.LEAST
    assert found['samples'] == [plan.BATCH * plan.LEAST, 500]


def test_given_numbers_win_and_the_others_fit_around_them(module, plan,
                                                          tmp_path):
    given = settings(module, tmp_path, '--finetune-iters', '700')
    found = plan.make_plan(given, machine(plan), 420.)
    assert found['finetune_iters'] == 700
    assert 0.7 * 420 < longest(plan, found) < 0.95 * 420
    everything = settings(module, tmp_path, '--finetune-iters', '7',
                          '--pretrain-iters', '5', '--samples', '90', '30')
    found = plan.make_plan(everything, machine(plan), 420.)
    assert (found['pretrain_iters'], found['finetune_iters'],
            found['samples']) == (5, 7, [90, 30])


def test_the_first_plan_is_kept(module, plan, tmp_path, monkeypatch):
    given = settings(module, tmp_path)
    monkeypatch.setattr(plan, 'measure',
                        lambda precision, startup: machine(plan))
    first = plan.plan(given, process_start=0.)
    assert json.loads((tmp_path / 'work/plan.json').read_text()) == first
    monkeypatch.setattr(plan, 'measure', None)  # not measured again
    assert plan.plan(given, process_start=0.) == first
    text = plan.describe(first)
    assert 'fp32 73, bf16 9 GFLOP/s' in text and 'beside the others' in text


def test_scratch_runs_beside_the_others(plan):
    names = ['mae', 'lmim', 'finetune', 'scratch', 'evaluate-finetune',
             'evaluate-scratch']
    assert plan.streams(names, 1) == [names]
    assert plan.streams(names, 2) == [
        ['mae', 'lmim', 'finetune', 'evaluate-finetune'],
        ['scratch', 'evaluate-scratch']]


def test_the_papers_loss_is_one_option_away(module, tmp_path, monkeypatch):
    stages = module('stages')
    monkeypatch.setattr(stages, '_checkpoint', lambda *_: 'teacher.pth')
    monkeypatch.setattr(stages, 'count', lambda *_: 64)
    sets = module('pictures').rendered(tmp_path)
    plan = dict(pretrain_iters=8, precision='fp32')
    ours, papers = (
        ' '.join(stages.lmim(settings(module, tmp_path, *options), sets,
                             plan).command)
        for options in ([], ['--paper']))
    assert ('model.branches=guidance model.target_generator.norm=instance'
            in ours)
    assert 'branches' not in papers and 'norm' not in papers
    assert 'model.target_generator.checkpoint=teacher.pth' in papers


class Clock:
    """Time that passes when it is told to."""

    def __init__(self):
        self.now = 100.

    def monotonic(self):
        return self.now


def test_what_is_left_follows_the_pace(module, monkeypatch, capsys):
    running, clock = module('running'), Clock()
    monkeypatch.setattr(running, 'time', clock)
    Stage = module('stages').Stage
    progress = running.Progress(
        [['a', 'b', 'c'], ['d']], dict(a=50., b=100., c=10., d=60.))
    assert progress.left() == 'about 3 min to go in all'
    first = Stage('a', 'first', [], 1000, epochs=2)
    progress.start(first)
    clock.now += 100  # twice as long as expected
    progress.end(first, 100.)
    assert '[1/4] first: done in 100 s, 10 images/s' in capsys.readouterr().out
    # What is to come is expected to take twice as long too.
    assert progress.seconds_left('b') == 200 and progress.seconds_left(
        'd') == 120
    second = Stage('b', 'second', [], 1000, epochs=2)
    progress.start(second)
    clock.now += 60
    progress.line(second, 'Epoch(train)  [1][ 50/100]  lr: 1e-3  loss: 0.5')
    # A quarter is done, at a pace of its own.
    assert progress.seconds_left('b') == pytest.approx(180)
    assert progress.left() == 'about 3 min to go in all'
    assert ('[2/4] second: epoch 1/2, 50/100, loss 0.500; about 3 min to go '
            'in all') in capsys.readouterr().out


def test_a_step_that_fails_ends_the_other(module, tmp_path, capsys):
    import sys
    running = module('running')
    Stage = module('stages').Stage
    python = [sys.executable, '-c']
    bad = Stage('bad', 'the bad one', [
        *python, 'import sys, time; print("why it failed"); time.sleep(1); '
        'sys.exit(3)'], 1)
    long = Stage('long', 'the long one', [
        *python, 'import time; time.sleep(600)'], 1)
    runner = running.Runner(tmp_path, running.Progress(
        [['bad', 'never'], ['long']], dict(bad=1., long=1., never=1.)), 1)
    with pytest.raises(SystemExit, match='the bad one failed; all of its'):
        runner.run_streams([[lambda: bad, lambda: 1 / 0], [lambda: long]])
    assert 'why it failed' in capsys.readouterr().err
    assert not list(tmp_path.rglob('done.json'))
