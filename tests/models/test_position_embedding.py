"""Fixed positions."""
import numpy as np
import pytest
import torch

from lmim.models.layers import build_sincos_2d, resolve_grid


def test_table_encodes_column_then_row():
    table = build_sincos_2d((2, 3), 8)[0]
    assert table.shape == (7, 8)
    assert torch.equal(table[0], torch.zeros(8))
    # Patch 5 is row 1, column 2; the frequencies are 1 and 1 / 100.
    expected = np.concatenate([
        np.sin([2, 0.02]), np.cos([2, 0.02]),
        np.sin([1, 0.01]), np.cos([1, 0.01])
    ])
    np.testing.assert_allclose(table[6], expected, atol=1e-6)


def test_published_models_use_a_square_table():
    assert resolve_grid('square', (8, 32)) == (16, 16)
    assert resolve_grid('grid', (8, 32)) == (8, 32)


def test_square_table_needs_a_square_number():
    with pytest.raises(ValueError, match="pos_embed='grid'"):
        resolve_grid('square', (8, 40))


def test_channels_must_divide_by_four():
    with pytest.raises(ValueError, match='multiples of 4'):
        build_sincos_2d((2, 2), 6)
