"""The comparison itself: nothing passes that is not a number."""
import importlib

import numpy as np
import pytest


@pytest.fixture
def common(repo, monkeypatch):
    monkeypatch.syspath_prepend(str(repo / 'tools'))
    return importlib.import_module('reference_checks.common')


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
