"""Two processes that exchange gradients, with the options of DDP."""
from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
from engine_dummies import make_cfg, weights
from mmengine.hooks import Hook
from mmocr.registry import HOOKS

from lmim.utils.errors import UserError
from tests.processes import needs_fork, run_on_processes
from tests.tool_runs import run_tool

pytestmark = needs_fork
DDP = 'MMDistributedDataParallel'


def run_on_two(work_dir: Path, **settings: Any) -> List[str]:
    """What two processes said that make 8 updates of a global batch of 8."""
    cfg = make_cfg(work_dir, batch_size=4, interval=100,
                   model=dict(dropout=0.))
    cfg.merge_from_dict(settings)
    work_dir.mkdir(exist_ok=True)
    cfg.dump(str(work_dir / 'config.py'))

    def run(rank: int) -> None:
        outcome = run_tool('train.py', work_dir, work_dir / 'config.py',
                           '--launcher', 'pytorch')
        (work_dir / f'said_{rank}.txt').write_text(outcome.stderr)

    assert run_on_processes(2, run) == [0, 0]
    return [(work_dir / f'said_{rank}.txt').read_text() for rank in range(2)]


def train_on_two(work_dir: Path, **settings: Any) -> Dict[str, torch.Tensor]:
    """The weights that they end with."""
    said = run_on_two(work_dir, **settings)
    assert (work_dir / 'iter_8.pth').is_file(), said
    return weights(work_dir / 'iter_8.pth')


@pytest.fixture(scope='module')
def usual(tmp_path_factory: pytest.TempPathFactory
          ) -> Dict[str, torch.Tensor]:
    return train_on_two(tmp_path_factory.mktemp('usual'))


@HOOKS.register_module()
class DDPOptionsHook(Hook):
    """Fails where the wrapper lacks what was asked for."""

    def __init__(self, **options: bool) -> None:
        self.options = options

    def before_train_iter(self, runner: Any, batch_idx: int,
                          data_batch: Any = None) -> None:
        for name, value in self.options.items():
            assert getattr(runner.model, name) == value, name


@pytest.mark.parametrize('option', ['static_graph', 'gradient_as_bucket_view'])
def test_options_of_ddp_change_nothing(
        usual: Dict[str, torch.Tensor], option: str, tmp_path: Path) -> None:
    found = train_on_two(
        tmp_path, model_wrapper_cfg={'type': DDP, option: True},
        custom_hooks=[dict(type='DDPOptionsHook', **{option: True})])
    for name, value in usual.items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=1e-7)


def test_a_compiled_model_is_trained_as_one_that_is_not(
        usual: Dict[str, torch.Tensor], tmp_path: Path) -> None:
    found = train_on_two(tmp_path, compile=dict(backend='aot_eager'))
    for name, value in usual.items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=1e-6)


def test_gradients_are_exchanged_in_16_bits(
        usual: Dict[str, torch.Tensor], tmp_path: Path) -> None:
    """They are rounded, to 11 bits, and decide on the same updates."""
    found = train_on_two(tmp_path, custom_hooks=[
        dict(type='GradientReductionHook', dtype='fp16')])
    differences = {name: float((found[name] - value).abs().max())
                   for name, value in usual.items()}
    assert 0 < max(differences.values()) < 2e-3, differences


def test_what_cannot_be_exchanged_is_refused(tmp_path: Path) -> None:
    for said in run_on_two(tmp_path, custom_hooks=[
            dict(type='GradientReductionHook')]):
        assert 'On CPUs take dtype=fp16' in said
    with pytest.raises(UserError, match='bf16 or fp16, not'):
        HOOKS.build(dict(type='GradientReductionHook', dtype='int8'))
