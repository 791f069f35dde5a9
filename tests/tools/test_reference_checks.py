"""The comparison itself: nothing passes that is not a number."""
import importlib

import numpy as np
import pytest


@pytest.fixture
def common(repo, monkeypatch):
    monkeypatch.syspath_prepend(str(repo / 'tools'))
    return importlib.import_module('reference_checks.common')


@pytest.mark.parametrize('value', [20., 0.1, 3e-3])
def test_a_thousandth_is_missed(common, value):
    ref = common.Reference({'out': np.array([value, value / 7])})
    assert ref.compare('out', [value, value / 7]).passed
    assert ref.compare('out', [value * 1.00001, value / 7]).passed is (
        value * 1e-5 <= 1e-5)
    assert not ref.compare('out', [value * 1.001, value / 7]).passed


def test_sizes_are_those_of_arrays(common):
    ref = common.Reference({
        'meta_names': np.array(['dims', 'layers', 'batch']),
        'state.out': np.zeros((5, 3)), 'state.blocks.0.a': np.zeros(1),
        'state.blocks.0.b': np.zeros(1), 'state.blocks.7.a': np.zeros(1)})
    wanted = dict(dims=('state.out', 1), layers=('state.blocks.', -1),
                  batch=('images', 0), other=('state.out', 0))
    ref['meta'] = np.array([3, 2, 9])  # there are no images
    ref.check_sizes(**wanted)
    for wrong, told in (([4, 2, 9], 'dims is 4 in meta, 3 in state.out'),
                        ([3, 1, 9], 'layers is 1 in meta, 2 in state.bl')):
        ref['meta'] = np.array(wrong)
        with pytest.raises(ValueError, match=told):
            ref.check_sizes(**wanted)


@pytest.mark.parametrize('scaled', [False, True])
@pytest.mark.parametrize('theirs, ours', [
    (1., np.nan), (np.nan, 1.), (np.nan, np.nan), (1., np.inf),
    (np.inf, 1.), (np.inf, np.inf)])
def test_what_is_not_finite_is_missed(common, scaled, theirs, ours):
    ref = common.Reference({'out': np.array([0.5, theirs])})
    check = ref.compare('out', [0.5, ours], scaled=scaled)
    assert check.passed is False
    assert ref.compare('out', [0.5, theirs]).passed is bool(
        np.isfinite(theirs))
