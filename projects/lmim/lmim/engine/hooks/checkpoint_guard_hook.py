"""No run on weights that were silently not loaded."""
import re
from typing import Any, Dict, List, NamedTuple

import torch
from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import Runner
from mmengine.runner.base_loop import BaseLoop
from mmocr.registry import HOOKS

from lmim.checkpoints import CheckpointError, read_checkpoint
from lmim.engine.resume import find_resumable

#: How many keys of each kind a message lists.
SHOWN = 5


class KeyReport(NamedTuple):
    """How a checkpoint fits a model, by names of tensors."""

    loaded: List[str]
    missing: List[str]
    unexpected: List[str]
    mismatched: List[str]

    def __str__(self) -> str:
        return ', '.join(f'{len(names)} {kind}'
                         for kind, names in self._asdict().items())

    def details(self) -> str:
        """The first names of each kind but the loaded."""
        lines = []
        for kind, names in self._asdict().items():
            if names and kind != 'loaded':
                rest = (f', ... ({len(names)} in all)'
                        if len(names) > SHOWN else '')
                lines.append(f'\n  {kind}: {", ".join(names[:SHOWN])}{rest}')
        return ''.join(lines)


def compare_keys(model: Any, state_dict: Dict[str, Any]) -> KeyReport:
    """Compare the tensors of a checkpoint with those of a model.

    Args:
        model (nn.Module): The model, wrapped or not.
        state_dict (Dict[str, Any]): The checkpoint's tensors by name.

    Returns:
        KeyReport: The names of the tensors that fit, that the model has and
        the checkpoint lacks, the reverse, and those of another shape.
    """
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.module
    own = model.state_dict()
    # As ``Runner.load_checkpoint`` does.
    given = {re.sub(r'^module\.', '', k): v for k, v in state_dict.items()}
    report = KeyReport([], [], [k for k in given if k not in own], [])
    for name, tensor in own.items():
        if name not in given:
            report.missing.append(name)
        elif getattr(given[name], 'shape', None) == tensor.shape:
            report.loaded.append(name)
        else:
            shape = tuple(getattr(given[name], 'shape', ()))
            report.mismatched.append(
                f'{name} {shape}, the model has {tuple(tensor.shape)}')
    return report


@HOOKS.register_module()
class CheckpointGuardHook(Hook):
    """Check what ``load_from`` and ``resume`` load, before it is used.

    MMEngine loads with ``strict=False``: weights that are missing or of
    another shape stay random, with a warning. Here the counts are always
    logged. Testing and resuming refuse when anything of the model is missing
    or mismatched; training from ``load_from`` refuses only when nothing fits.

    Args:
        allow_mismatch (bool): Whether to warn instead of refusing. Defaults
            to False.

    Raises:
        FileNotFoundError, CheckpointError: By :meth:`before_run`, where the
            checkpoint cannot be read.
        CheckpointError: By :meth:`after_load_checkpoint`, where it does not
            fit.
    """

    def __init__(self, allow_mismatch: bool = False) -> None:
        self.allow_mismatch = allow_mismatch

    def before_run(self, runner: Runner) -> None:
        """Find the checkpoint and see whether it can be read.

        Args:
            runner (Runner): The runner.
        """
        if runner._resume and runner._load_from is None:
            # MMEngine would take the path in ``last_checkpoint`` as it is,
            # although the work dir may have been moved since.
            runner._load_from = find_resumable(runner.work_dir)
            if runner._load_from is None:
                runner._resume = False
                runner.logger.info(
                    f'Nothing to resume in {runner.work_dir}: training '
                    'starts from the beginning.')
        path = runner._load_from
        if path is not None and '://' not in str(path):
            read_checkpoint(path)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare the checkpoint with the model.

        Args:
            runner (Runner): The runner.
            checkpoint (dict): The checkpoint that was read.
        """
        if runner._resume and 'optimizer' not in checkpoint:
            raise CheckpointError(
                f'{runner._load_from} has weights but no state of the '
                'optimizer, so training cannot be resumed from it; best and '
                'published checkpoints are such. Resume from an epoch_*.pth '
                'or iter_*.pth, or start a new run from these weights: leave '
                f'out --resume and add --cfg-options '
                f'load_from={runner._load_from}')
        report = compare_keys(runner.model,
                              checkpoint.get('state_dict', checkpoint))
        runner.logger.info(f'Weights from {runner._load_from}: {report}')
        training = isinstance(runner._train_loop, BaseLoop)
        if training and not runner._resume:
            unfit = not report.loaded
        else:
            unfit = bool(report.missing or report.mismatched)
        if not unfit:
            if report.missing or report.mismatched:
                runner.logger.warning('Not all weights were loaded:'
                                      f'{report.details()}')
            return
        message = (
            f'{runner._load_from} does not fit the model of this config '
            f'({report}); the other weights would stay random.'
            f'{report.details()}{self._hint(checkpoint)}')
        if not self.allow_mismatch:
            raise CheckpointError(
                f'{message}\nUse the config that the checkpoint was trained '
                'with, or accept it as it is with --cfg-options '
                'default_hooks.checkpoint_guard.allow_mismatch=True')
        runner.logger.warning(message)

    @staticmethod
    def _hint(checkpoint: dict) -> str:
        """What a file of another kind looks like."""
        if 'state_dict' in checkpoint or any(
                torch.is_tensor(v) for v in checkpoint.values()):
            return ''
        return ('\nThe file has no "state_dict" but '
                f'{", ".join(map(str, list(checkpoint)[:SHOWN]))}: it is not '
                "one of MMEngine's checkpoints. Convert the authors' and "
                "MAERec's files first.")
