"""The quick start's plan and what it says of the time that is left."""
import json

import pytest


@pytest.fixture
def module(repo, monkeypatch):
    """Imports a module of tools/quickstart."""
    import importlib
    monkeypatch.syspath_prepend(str(repo / 'tools'))
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
    return dict(
        precision='fp32', reason='matrix product on cpu: fp32 73, bf16 9 '
        'GFLOP/s', threads=1, streams=streams, startup=6., steps={
            'mae': 0.04 * scale, 'lmim': 0.14 * scale,
            'finetune': 0.07 * scale})


@pytest.mark.parametrize('streams', [1, 2])
@pytest.mark.parametrize('scale', [0.3, 1., 3.])
@pytest.mark.parametrize('seconds', [240., 420.])
def test_the_time_is_used_and_kept(module, plan, tmp_path, streams, scale,
                                   seconds):
    found = plan.make_plan(settings(module, tmp_path),
                           machine(plan, streams, scale), seconds)
    assert 0.75 * seconds < found['seconds'] < 0.95 * seconds
    words = plan.BATCH * found['pretrain_iters']
    assert found['samples'][0] == min(words, plan.WORDS)
    assert found['pretrain_iters'] == found['finetune_iters']


def test_a_fast_machine_does_more(module, plan, tmp_path):
    slow, fast = (
        plan.make_plan(settings(module, tmp_path), machine(plan, scale=scale),
                       400.)['finetune_iters'] for scale in (1., 0.25))
    assert 3 < fast / slow < 6


def test_too_little_time_still_trains(module, plan, tmp_path):
    found = plan.make_plan(settings(module, tmp_path), machine(plan), 10.)
    assert found['pretrain_iters'] == plan.LEAST
    assert found['samples'] == [plan.BATCH * plan.LEAST, 500]


def test_given_numbers_win_and_the_others_fit_around_them(module, plan,
                                                          tmp_path):
    given = settings(module, tmp_path, '--finetune-iters', '700')
    found = plan.make_plan(given, machine(plan), 420.)
    assert found['finetune_iters'] == 700
    assert 0.7 * 420 < found['seconds'] < 0.95 * 420
    everything = settings(module, tmp_path, '--finetune-iters', '7',
                          '--pretrain-iters', '5', '--samples', '90', '30')
    found = plan.make_plan(everything, machine(plan), 420.)
    assert (found['pretrain_iters'], found['finetune_iters'],
            found['samples']) == (5, 7, [90, 30])


def test_the_first_plan_is_kept(module, plan, tmp_path, monkeypatch):
    given = settings(module, tmp_path)
    monkeypatch.setattr(plan, 'measure',
                        lambda settings, startup: machine(plan))
    first = plan.plan(given, process_start=0.)
    assert json.loads((tmp_path / 'work/plan.json').read_text()) == first
    monkeypatch.setattr(plan, 'measure', None)  # not measured again
    assert plan.plan(given, process_start=0.) == first
    text = plan.describe(first)
    assert 'fp32 73, bf16 9 GFLOP/s' in text and 'beside the others' in text
