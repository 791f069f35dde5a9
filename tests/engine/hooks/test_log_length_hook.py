"""What was logged is kept up to a length, here and in checkpoints."""
from pathlib import Path

import numpy as np
import torch
from engine_dummies import make_cfg, train


def test_the_latest_values_are_kept(tmp_path: Path) -> None:
    """Eight updates: after the sixth there are six, and three are kept."""
    whole = train(make_cfg(tmp_path / 'whole', 'whole'))
    hooks = dict(log_length=dict(type='LogLengthHook', keep=3))
    train(make_cfg(tmp_path / 'short', 'short', hooks=hooks))
    saved = torch.load(tmp_path / 'short/iter_8.pth', weights_only=False)
    kept = saved['message_hub']['log_scalars']['train/loss']
    values = whole.message_hub.log_scalars['train/loss']
    assert len(values._log_history) == 8
    np.testing.assert_array_equal(kept._log_history,
                                  values._log_history[3:])
    assert len(kept._count_history) == 5
    assert kept.mean(4) == values.mean(4)
