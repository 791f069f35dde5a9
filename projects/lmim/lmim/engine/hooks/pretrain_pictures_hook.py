"""Pictures of a pre-training while it runs."""
import os.path as osp
from typing import Any, Dict, Optional

import cv2
import numpy as np
import torch
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.visualization import LocalVisBackend
from mmocr.registry import HOOKS

from lmim.models.selfsup import SelfSup
from lmim.utils.errors import UserError
from lmim.visualization.pretraining_sheets import (draw_batch_sheet,
                                                   draw_reconstruction)
from lmim.visualization.reconstruction import random_state_kept, reconstruct
from lmim.visualization.sheet import save_picture

from .checkpoint_hook import bare_model

#: Pictures over which errors, and colours and nearest patches of features,
#: are computed.
COMPARED = 16
#: Of masks and views.
SEED = 0


@HOOKS.register_module()
class PretrainPicturesHook(Hook):
    """Draw what pre-training sees, and what it makes of it.

    ``pictures/views.png`` in the work dir shows the views that the model is
    given, before the first iteration. What ``model.predict`` makes of the
    same pictures with the same masks follows after every ``interval`` epochs
    and after the last: ``pictures/reconstruction_epoch_1.png`` ... The
    visualizer's other backends, such as
    ``TensorboardVisBackend``, get them too.

    Training is not disturbed: random numbers and the modes of the modules are
    put back, and masks come from a generator of their own. It works on the
    first process only, and does nothing for models other than
    :class:`~lmim.models.selfsup.SelfSup`.

    Args:
        enable (bool): Whether to draw at all.
        interval (int): Epochs between two reconstructions.
        num_pictures (int): Pictures on a sheet.

    Raises:
        UserError: If a number is below 1.
    """

    priority = 'VERY_LOW'  # after checkpoints are written

    def __init__(self, enable: bool = True, interval: int = 1,
                 num_pictures: int = 4) -> None:
        for name, value in (('interval', interval),
                            ('num_pictures', num_pictures)):
            if value < 1:
                raise UserError(f'{name} is 1 or more, not {value}')
        self.enable = enable
        self.interval = interval
        self.num_pictures = num_pictures
        self._batch: Optional[Dict[str, Any]] = None

    def before_train(self, runner: Runner) -> None:
        """Choose the pictures, and draw what the branches see of them."""
        if self.enable and isinstance(bare_model(runner.model), SelfSup):
            self._choose(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Draw reconstructions, where it is their turn."""
        # The loop counts the epoch after this.
        last = runner.epoch + 1 >= runner.max_epochs
        if last or self.every_n_epochs(runner, self.interval):
            self._reconstruct(runner)

    @master_only
    def _choose(self, runner: Runner) -> None:
        """Keep a fixed batch, and draw it."""
        loader = runner.train_dataloader
        total = len(loader.dataset)
        count = min(total, max(COMPARED, self.num_pictures))
        with random_state_kept(SEED):
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
        model = bare_model(runner.model)
        self._save(runner, 'views', '', draw_batch_sheet(
            model, reconstruct(model, batch, SEED), 2 * self.num_pictures))

    @master_only
    def _reconstruct(self, runner: Runner) -> None:
        """Draw what the model makes of the batch now."""
        if self._batch is None:
            return
        model = bare_model(runner.model)
        seen = reconstruct(model, self._batch, SEED)
        shown = range(min(self.num_pictures, len(seen.inputs)))
        self._save(runner, 'reconstruction', f'_epoch_{runner.epoch + 1}',
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
    views = views if isinstance(views, (list, tuple)) else [views]
    return all(isinstance(view, torch.Tensor) and view.dtype == torch.uint8
               and view.dim() == 4 for view in views)
