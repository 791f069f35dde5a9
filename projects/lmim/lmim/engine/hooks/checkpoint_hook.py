"""Checkpoints: written whole, found again, and checked before they are used.

With ``accumulative_counts > 1`` a checkpoint may fall between two updates of
the weights. MMEngine then loses the gradients gathered so far ('the gradient
of some iterations is lost'); kept with the checkpoint, they let a resumed run
make the same update as an uninterrupted one.
"""
import os.path as osp
import zipfile
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Union

import torch
from mmengine.dist import all_reduce, get_world_size, is_main_process
from mmengine.evaluator import DumpResults
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook, Hook
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import Runner
from mmengine.runner.base_loop import BaseLoop
from mmocr.evaluation.metrics import (CharMetric, OneMinusNEDMetric,
                                      WordMetric)
from mmocr.registry import HOOKS
from torch import Tensor, nn

from lmim.checkpoints import read_checkpoint
from lmim.checkpoints.contents import complete_dictionary
from lmim.checkpoints.loading import LoadReport, compare, refuse_not_finite
from lmim.checkpoints.reading import bare_name
from lmim.utils.atomic import PARTIAL, write_atomic
from lmim.utils.errors import CheckpointError, UserError, some

#: The file in which MMEngine keeps the path of the latest checkpoint.
LAST_CHECKPOINT = 'last_checkpoint'
#: The entry of a checkpoint for gradients that wait for an update.
PENDING = 'pending_gradients'
#: Of which figures more is better, beside those that MMEngine knows.
GREATER = ('n.e.d', 'char_recall', 'char_precision')


@register_backend('atomic_local')
class AtomicLocalBackend(LocalBackend):
    """MMEngine's local backend; bytes are written whole or not at all.

    ``LocalBackend`` opens the file itself and writes into it: a run that is
    killed meanwhile leaves half a checkpoint under the good name.
    ``backend_args=dict(backend='atomic_local')`` chooses this one.
    """

    def put(self, obj: bytes, filepath: Union[str, Path]) -> None:
        """Write bytes; see :func:`lmim.utils.atomic.write_atomic`."""
        write_atomic(filepath, obj)


def find_resumable(work_dir: Union[str, Path]) -> Optional[str]:
    """The latest checkpoint of a run, or None where there is none.

    MMEngine stores its absolute path in ``last_checkpoint``. A work dir that
    was moved or copied since is followed: the file of that name beside
    ``last_checkpoint`` is taken. Where ``last_checkpoint`` is missing or
    names no file (MMEngine writes it in place), it is the newest
    ``epoch_*.pth`` or ``iter_*.pth`` in the folder. A file that was cut off
    since it was written is passed over, and a line says so.
    """
    work_dir = Path(work_dir)
    pointer = work_dir / LAST_CHECKPOINT
    name = pointer.read_text().strip() if pointer.is_file() else ''
    written = sorted([*work_dir.glob('epoch_*.pth'),
                      *work_dir.glob('iter_*.pth')],
                     key=lambda path: path.stat().st_mtime, reverse=True)
    # Beside the pointer first: a copied work dir resumes from its own
    # checkpoint although the original's is still there.
    named = [work_dir / osp.basename(name), Path(name)] if name else []
    damaged: List[str] = []
    for path in [*named, *written]:
        if not path.exists() or str(path) in damaged:
            continue
        if not is_cut_off(path):
            if damaged:
                print(f'{", ".join(damaged)} is damaged, cut off or empty: '
                      f'{path} is taken.', flush=True)
            return str(path)
        damaged.append(str(path))
    if damaged:
        raise CheckpointError(
            f'{", ".join(damaged)} is damaged, cut off or empty, and there is '
            'no other checkpoint: remove it to begin anew')
    return None


def is_cut_off(path: Path) -> bool:
    """Whether a file of ``torch.save`` lacks its end.

    The end of a zip archive tells where all of it is.
    """
    if not path.is_file():
        return False  # DeepSpeed's folder
    with path.open('rb') as file:
        start = file.read(2)
    return b'PK'.startswith(start) and not zipfile.is_zipfile(path)


def _pending_gradients(model: nn.Module) -> Optional[Dict[str, Tensor]]:
    """The gradients that wait for the next update, by name, on the CPU.

    To be called by all processes: before the update each holds those of its
    own images, and their mean is what the update would use.
    """
    gradients = {
        name: param.grad.detach().clone()
        for name, param in model.named_parameters() if param.grad is not None}
    if get_world_size() > 1:
        for gradient in gradients.values():
            all_reduce(gradient, op='mean')
    return {name: value.cpu() for name, value in gradients.items()} or None


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """MMEngine's checkpoint hook, safe against being killed at any moment.

    ``CheckpointHook`` removes the outdated checkpoint first, writes the new
    one in place, then overwrites ``last_checkpoint`` in place: with
    ``max_keep_ckpts=1`` a run that is killed meanwhile has nothing left. Here
    the new checkpoint is written whole, then ``last_checkpoint`` is replaced,
    and only then are outdated files removed; likewise for the best one.

    The arguments are those of ``CheckpointHook``. ``backend_args`` defaults
    to ``dict(backend='atomic_local')`` unless ``out_dir`` is remote.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault('greater_keys', [*self._default_greater_keys,
                                           *GREATER])
        try:
            super().__init__(*args, **kwargs)
        except ValueError as error:  # no rule for a key
            raise UserError(
                f'default_hooks.checkpoint: {error} Add rule="greater" or '
                'rule="less"') from error
        remote = '://' in str(self.out_dir or '')
        if not (remote or self.backend_args or self.file_client_args):
            self.backend_args: Optional[dict] = dict(backend='atomic_local')
        self._pending: Optional[Dict[str, Tensor]] = None

    def before_train(self, runner: Runner) -> None:
        """Look at ``save_best``, remove what a killed run was writing, and
        restore gradients.
        """
        if self.save_best:
            self._find_best_keys(runner)
        super().before_train(runner)
        if is_main_process():
            for folder in {str(self.out_dir), runner.work_dir}:
                for path in Path(folder).glob('*' + PARTIAL):
                    path.unlink()
                    runner.logger.info(f'Removed {path}, left unfinished by '
                                       'a run that was ended.')
        if self._pending is not None:
            params = dict(bare_model(runner.model).named_parameters())
            for name, gradient in self._pending.items():
                param = params[name]
                param.grad = gradient.to(param.device, param.dtype, copy=True)
            self._pending = None

    def _find_best_keys(self, runner: Runner) -> None:
        """Complete the keys of ``save_best`` as the evaluator calls them."""
        found = find_keys(runner, 'default_hooks.checkpoint.save_best',
                          self.key_indicators)
        if found != list(self.key_indicators):
            runner.logger.info(f'The best checkpoint is that of the best '
                               f'{", ".join(found)}.')
            self._init_rule(list(self.rules), found)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep the gradients that wait for an update, when resuming."""
        if runner._resume:
            self._pending = checkpoint.get(PENDING)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the dictionary, and the gradients that wait for an update.

        The config, which MMEngine saves, tells only where the dictionary is.
        """
        complete_dictionary(checkpoint['meta'], runner.cfg.get('model'))
        if self._pending is not None and 'optimizer' in checkpoint:
            checkpoint[PENDING] = self._pending

    def _save_checkpoint_with_step(self, runner: Runner, step: int,
                                   meta: dict) -> None:
        """Save, then point to what was saved, then remove what is outdated."""
        outdated = self._outdated(runner, step)
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        self._pending = _pending_gradients(bare_model(runner.model))
        runner.save_checkpoint(
            self.out_dir, name, self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler, meta=meta,
            by_epoch=self.by_epoch, backend_args=self.backend_args,
            **self.args)
        self._pending = None
        if not is_main_process():
            return
        write_atomic(osp.join(runner.work_dir, LAST_CHECKPOINT),
                     str(self.last_ckpt).encode())
        for name in outdated:
            self._remove(name)

    def _outdated(self, runner: Runner, step: int) -> List[str]:
        """Count this checkpoint in; the names of those that are too many."""
        if self.max_keep_ckpts <= 0:
            return []
        kept = list(self.keep_ckpt_ids)
        if kept[-1:] != [step]:
            kept.append(step)
        outdated = kept[:-self.max_keep_ckpts]
        # The queue drops its oldest by itself.
        self.keep_ckpt_ids.clear()
        self.keep_ckpt_ids.extend(kept)
        runner.message_hub.update_info('keep_ckpt_ids',
                                       list(self.keep_ckpt_ids))
        return [self.filename_tmpl.format(old) for old in outdated]

    def _save_best_checkpoint(self, runner: Runner,
                              metrics: Dict[str, Any]) -> None:
        """Save a new best checkpoint, then remove the best one so far."""
        if not self.save_best:
            return
        # The base class has an attribute for one path, a dict for several.
        several = len(self.key_indicators) > 1
        held = self.best_ckpt_path_dict if several else self.__dict__
        before = {key: held[key] for key in (
            list(held) if several else ['best_ckpt_path'])}
        # With no path to remove, the base class only saves.
        held.update(dict.fromkeys(before))
        super()._save_best_checkpoint(runner, metrics)
        for key, path in before.items():
            new = held[key]
            held[key] = new or path
            if path and new and new != path and is_main_process():
                # By its name: the work dir may have been moved meanwhile.
                self._remove(osp.basename(path))

    def _remove(self, name: str) -> None:
        """Remove a checkpoint: a file, or DeepSpeed's folder."""
        path = self.file_backend.join_path(self.out_dir, name)
        if self.file_backend.isfile(path):
            self.file_backend.remove(path)
        elif self.file_backend.isdir(path):
            self.file_backend.rmtree(path)


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
        """Find the checkpoint and see whether it can be read."""
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
        """Compare the checkpoint with the model."""
        state = checkpoint.get('state_dict', checkpoint)
        for name in [name for name in state if '_orig_mod.' in str(name)]:
            state[bare_name(name)] = state.pop(name)  # of a compiled model
        if runner._resume and 'optimizer' not in checkpoint:
            raise CheckpointError(
                f'{runner._load_from} has weights but no state of the '
                'optimizer, so training cannot be resumed from it; best and '
                'published checkpoints are such. Resume from an epoch_*.pth '
                'or iter_*.pth, or start a new run from these weights: leave '
                f'out --resume and add --cfg-options '
                f'load_from={runner._load_from}')
        report = load_report(runner, checkpoint)
        runner.logger.info(f'Weights from {report}')
        refuse_not_finite(bare_model(runner.model), _weights(checkpoint),
                          str(runner._load_from))
        if not (report.missing or report.mismatched):
            return
        training = isinstance(runner._train_loop, BaseLoop)
        if training and not runner._resume and report.loaded:
            runner.logger.warning('Not all weights were loaded:'
                                  f'{report.details()}')
            return
        message = (
            f'{runner._load_from} does not fit the model of this config; the '
            f'other weights would stay random.\n{report}{report.details()}')
        if 'state_dict' not in checkpoint and not any(
                map(torch.is_tensor, checkpoint.values())):
            message += (
                '\nThe file has no "state_dict" but '
                f'{some(list(map(str, checkpoint)))}: it is not one of '
                "MMEngine's checkpoints. Convert the authors' and MAERec's "
                'files first.')
        if not self.allow_mismatch:
            raise CheckpointError(
                f'{message}\nUse the config that the checkpoint was trained '
                'with, or accept it as it is with --cfg-options '
                'default_hooks.checkpoint_guard.allow_mismatch=True')
        runner.logger.warning(message)


def find_keys(runner: Runner, setting: str, keys: Sequence[str]) -> List[str]:
    """Complete names of figures, as word_acc, as the evaluator calls them.

    Args:
        runner (Runner): Asked what its validation measures.
        setting (str): Where the names stand in the config.
        keys (Sequence[str]): The names; 'auto' stays as it is, as all do
            where it is not known what is measured.

    Raises:
        UserError: If nothing is validated, or a name will not be there or
            fits several.
    """
    if runner.val_loop is None:
        raise UserError(
            f'{setting}={", ".join(keys)!r} needs a validation, and the '
            'config has none: leave it out, or add val_dataloader, val_cfg '
            'and val_evaluator')
    measured = metric_keys(getattr(runner.val_loop, 'evaluator', None))
    if measured is None:
        return list(keys)
    found = []
    for wanted in keys:
        fitting = [key for key in measured if key == wanted
                   or key.endswith(f'/{wanted}')]
        if wanted != 'auto' and len(fitting) != 1:
            what = 'fits several' if fitting else 'is not one'
            raise UserError(
                f'{setting}={wanted!r} {what} of what is measured in '
                f'validation: {", ".join(fitting or measured)}')
        found.append(wanted if wanted == 'auto' else fitting[0])
    return found


def metric_keys(evaluator: Any) -> Optional[List[str]]:
    """What an evaluator will call its figures.

    Returns:
        List[str], optional: None where a metric is not one of MMOCR's for
        words, so that this is not known beforehand.
    """
    names = []
    for metric in getattr(evaluator, 'metrics', [None]):
        if isinstance(metric, DumpResults):
            continue
        figures = getattr(metric, 'figures', None)  # of our own
        if figures is None:
            if not isinstance(metric, (WordMetric, CharMetric,
                                       OneMinusNEDMetric)):
                return None
            figures = metric.compute_metrics([])
        names += [f'{metric.prefix}/{name}' if metric.prefix else name
                  for name in figures]
    prefixes = getattr(evaluator, 'dataset_prefixes', None)
    return names if prefixes is None else [
        f'{prefix}/{name}' for prefix in prefixes for name in names]


def load_report(runner: Runner, checkpoint: dict) -> LoadReport:
    """What a checkpoint that a runner loads gives to its model."""
    return compare(bare_model(runner.model), _weights(checkpoint),
                   str(runner._load_from))


def _weights(checkpoint: dict) -> Dict[str, Tensor]:
    """Those of a checkpoint, named as ``Runner.load_checkpoint`` does."""
    return {bare_name(name): value for name, value in
            checkpoint.get('state_dict', checkpoint).items()
            if torch.is_tensor(value)}


def bare_model(model: Any) -> Any:
    """A model without the wrappers of DDP and of test-time augmentation."""
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.module
    return model
