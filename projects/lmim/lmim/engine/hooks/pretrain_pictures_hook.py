"""Pictures of a pre-training while it runs."""
import os.path as osp
from typing import Any, Dict, List, Optional, Union

import cv2
import numpy as np
import torch
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmengine.visualization import LocalVisBackend
from mmocr.registry import HOOKS

from lmim.models.selfsup import SelfSup
from lmim.utils.errors import UserError
from lmim.visualization.pretraining_sheets import (draw_batch_sheet,
                                                   draw_reconstruction)
from lmim.visualization.reconstruction import random_state_kept, reconstruct
from lmim.visualization.sheet import save_picture

DataBatch = Optional[Union[dict, tuple, list]]


@HOOKS.register_module()
class PretrainPicturesHook(Hook):
    """Draw what pre-training sees, and what it makes of it.

    ``pictures/views.png`` in the work dir shows the views that the model is
    given, before the first iteration. What ``model.predict`` makes of the
    same pictures with the same masks follows after every ``interval`` epochs
    or iterations, and after the last: ``pictures/
    reconstruction_epoch_1.png`` ... The visualizer's other backends, such as
    ``TensorboardVisBackend``, get them too.

    Training is not disturbed: random numbers and the modes of the modules are
    put back, and masks come from a generator of their own. It works on the
    first process only, and does nothing for models other than
    :class:`~lmim.models.selfsup.SelfSup`.

    Args:
        enable (bool): Whether to draw at all.
        interval (int): Epochs or iterations between two reconstructions.
        by_epoch (bool): Whether these are epochs.
        num_pictures (int): Pictures on a sheet.
        num_compared (int): Pictures over which errors, and colours and
            nearest patches of features, are computed.
        seed (int): Of masks and views.

    Raises:
        UserError: If a number is below 1.
    """

    priority = 'VERY_LOW'  # after checkpoints are written

    def __init__(self,
                 enable: bool = True,
                 interval: int = 1,
                 by_epoch: bool = True,
                 num_pictures: int = 4,
                 num_compared: int = 16,
                 seed: int = 0) -> None:
        for name, value in (('interval', interval),
                            ('num_pictures', num_pictures)):
            if value < 1:
                raise UserError(f'{name} is 1 or more, not {value}')
        self.enable = enable
        self.interval = interval
        self.by_epoch = by_epoch
        self.num_pictures = num_pictures
        self.num_compared = max(num_compared, num_pictures)
        self.seed = seed
        self._batch: Optional[Dict[str, Any]] = None

    def before_train(self, runner: Runner) -> None:
        """Choose the pictures, and draw what the branches see of them.

        Args:
            runner (Runner): The runner of the training process.
        """
        if self.enable and isinstance(_bare(runner.model), SelfSup):
            self._choose(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Draw reconstructions, where it is their turn."""
        # The loop counts the epoch after this.
        last = runner.epoch + 1 >= runner.max_epochs
        if self.by_epoch and (last
                              or self.every_n_epochs(runner, self.interval)):
            self._reconstruct(runner, f'epoch_{runner.epoch + 1}')

    def after_train_iter(self,
                         runner: Runner,
                         batch_idx: int,
                         data_batch: DataBatch = None,
                         outputs: Optional[dict] = None) -> None:
        """Draw reconstructions, where it is their turn.

        Args:
            runner (Runner): The runner of the training process.
            batch_idx (int): The index of the batch in the epoch.
            data_batch (dict or tuple or list, optional): Not used.
            outputs (dict, optional): Not used.
        """
        last = runner.iter + 1 >= runner.max_iters
        if not self.by_epoch and (
                last or self.every_n_train_iters(runner, self.interval)):
            self._reconstruct(runner, f'iter_{runner.iter + 1}')

    @master_only
    def _choose(self, runner: Runner) -> None:
        """Keep a fixed batch, and draw it."""
        loader = runner.train_dataloader
        total = len(loader.dataset)
        count = min(total, self.num_compared)
        with random_state_kept(self.seed):
            batch = loader.collate_fn([
                loader.dataset[index * total // count]
                for index in range(count)])
        if not _has_pictures(batch):
            runner.logger.warning(
                'No pictures of this pre-training are drawn: its pipeline '
                'gives no uint8 tensors, as PackPretrainInputs does. '
                '--cfg-options default_hooks.pictures.enable=False keeps '
                'this message away.')
            return
        self._batch = batch
        model = _bare(runner.model)
        self._save(runner, 'views', '', draw_batch_sheet(
            model, reconstruct(model, batch, self.seed),
            2 * self.num_pictures))

    @master_only
    def _reconstruct(self, runner: Runner, when: str) -> None:
        """Draw what the model makes of the batch now."""
        if self._batch is None:
            return
        model = _bare(runner.model)
        seen = reconstruct(model, self._batch, self.seed)
        shown = range(min(self.num_pictures, len(seen.inputs)))
        self._save(runner, 'reconstruction', f'_{when}',
                   draw_reconstruction(model, seen, shown=shown))

    @staticmethod
    def _save(runner: Runner, name: str, suffix: str,
              sheet: np.ndarray) -> None:
        """Write a sheet, and hand it to backends that show pictures."""
        path = osp.join(runner.work_dir, 'pictures', f'{name}{suffix}.png')
        try:
            save_picture(sheet, path)
        except OSError as error:  # no reason to end a training
            runner.logger.warning(f'{path} could not be written: {error}')
        for backend in runner.visualizer._vis_backends.values():
            # The local one would write the same into another folder.
            if not isinstance(backend, LocalVisBackend):
                backend.add_image(name, cv2.cvtColor(
                    sheet, cv2.COLOR_BGR2RGB), runner.iter)


def _has_pictures(batch: Any) -> bool:
    """Whether a batch has views as uint8 tensors (N, 3, H, W)."""
    views: Any = batch.get('inputs') if isinstance(batch, dict) else None
    views = [views] if isinstance(views, torch.Tensor) else views
    tensors: List[Any] = list(views) if isinstance(views, (list, tuple)) else [
        None]
    return all(isinstance(view, torch.Tensor) and view.dtype == torch.uint8
               and view.dim() == 4 for view in tensors)


def _bare(model: Any) -> Any:
    """The model without the wrapper for several processes."""
    return model.module if is_model_wrapper(model) else model
