"""Training and testing on a CPU use its kernels."""
from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.config import Config
from mmocr.registry import HOOKS
from torch import nn

from lmim.models.layers.cpu_kernels import CPULinear


@pytest.mark.parametrize('device, kind', [('cpu', CPULinear),
                                          ('meta', nn.Linear)])
def test_a_run_replaces_layers_on_a_cpu_only(repo: Path, device: str,
                                             kind: type) -> None:
    cfg = Config.fromfile(repo / 'configs/_base_/default_runtime.py')
    hook = HOOKS.build(cfg.default_hooks.cpu_kernels)
    model = nn.Sequential(nn.Linear(2, 2, device=device))
    hook.before_run(SimpleNamespace(model=model))
    assert type(model[0]) is kind
