"""Checkpoints that are written whole, and removed only when outdated."""
import os.path as osp
from typing import Any, Dict, List, Optional

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmocr.registry import HOOKS
from torch import Tensor, nn

from lmim.checkpoints.contents import complete_dictionary
from lmim.engine.accumulation import pending_gradients, restore_gradients
from lmim.engine.fileio import remove_partial, write_atomic
from lmim.engine.resume import LAST_CHECKPOINT

#: The entry of a checkpoint for gradients that wait for an update.
PENDING = 'pending_gradients'


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
        super().__init__(*args, **kwargs)
        remote = '://' in str(self.out_dir or '')
        if not (remote or self.backend_args or self.file_client_args):
            self.backend_args: Optional[dict] = dict(backend='atomic_local')
        self._pending: Optional[Dict[str, Tensor]] = None

    def before_train(self, runner: Runner) -> None:
        """Clear away what a killed run was writing, and prepare.

        Args:
            runner (Runner): The runner of the training process.
        """
        super().before_train(runner)
        if is_main_process():
            for folder in {str(self.out_dir), runner.work_dir}:
                if osp.isdir(folder):
                    for path in remove_partial(folder):
                        runner.logger.info(f'Removed {path}, left unfinished '
                                           'by a run that was ended.')
        if self._pending is not None:
            restore_gradients(_bare(runner.model), self._pending)
            self._pending = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep the gradients that wait for an update, when resuming.

        Args:
            runner (Runner): The runner of the training process.
            checkpoint (dict): The checkpoint that was read.
        """
        if runner._resume:
            self._pending = checkpoint.get(PENDING)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the dictionary, and the gradients that wait for an update.

        The config, which MMEngine saves, tells only where the dictionary is.

        Args:
            runner (Runner): The runner of the training process.
            checkpoint (dict): What is to be saved.
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
        self._pending = pending_gradients(_bare(runner.model))
        runner.save_checkpoint(
            self.out_dir,
            name,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args)
        self._pending = None
        if not is_main_process():
            return
        write_atomic(
            osp.join(runner.work_dir, LAST_CHECKPOINT),
            str(self.last_ckpt).encode())
        for name in outdated:
            self._remove(name)

    def _outdated(self, runner: Runner, step: int) -> List[str]:
        """Count this checkpoint in; the names of those that are too many."""
        if self.max_keep_ckpts <= 0:
            return []
        kept = list(self.keep_ckpt_ids)
        if not kept or kept[-1] != step:
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
        before = self._best_paths()
        # With no path to remove, the base class only saves.
        self._set_best_paths(dict.fromkeys(before))
        super()._save_best_checkpoint(runner, metrics)
        saved = self._best_paths()
        self._set_best_paths(
            {key: saved.get(key) or path
             for key, path in before.items()})
        for key, path in before.items():
            new = saved.get(key)
            if path and new and new != path and is_main_process():
                # By its name: the work dir may have been moved meanwhile.
                self._remove(osp.basename(path))

    def _best_paths(self) -> Dict[str, Optional[str]]:
        """The paths of the best checkpoints; one key where there is one."""
        if len(self.key_indicators) == 1:
            return {'': self.best_ckpt_path}
        return dict(self.best_ckpt_path_dict)

    def _set_best_paths(self, paths: Dict[str, Optional[str]]) -> None:
        """Set what :meth:`_best_paths` tells."""
        if len(self.key_indicators) == 1:
            self.best_ckpt_path = paths['']
        else:
            self.best_ckpt_path_dict.update(paths)

    def _remove(self, name: str) -> None:
        """Remove a checkpoint: a file, or DeepSpeed's folder."""
        path = self.file_backend.join_path(self.out_dir, name)
        if self.file_backend.isfile(path):
            self.file_backend.remove(path)
        elif self.file_backend.isdir(path):
            self.file_backend.rmtree(path)


def _bare(model: Any) -> nn.Module:
    """The model without the wrapper for several processes."""
    return model.module if is_model_wrapper(model) else model
