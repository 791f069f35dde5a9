"""JSON without numbers that are none."""
import json

import numpy as np
import pytest

from lmim.utils.json_text import to_json


@pytest.mark.parametrize('bad', [float('nan'), float('inf'), -np.inf,
                                 np.float64('nan')])
def test_numbers_are_finite_or_null(bad: float) -> None:
    text = to_json(dict(score=bad, scores=[0.5, bad], box=(1, [bad]),
                        text='NaN', count=3, none=None))
    assert 'NaN' not in text.replace('"NaN"', '')
    assert json.loads(text) == dict(score=None, scores=[0.5, None],
                                    box=[1, [None]], text='NaN', count=3,
                                    none=None)
