"""What a model of pre-training makes of hidden patches."""
from contextlib import contextmanager
from typing import Any, Dict, Iterator, NamedTuple, Optional

import numpy as np
import torch
from torch import nn


class Reconstruction(NamedTuple):
    """Pictures, what was hidden of them, and what the model makes of it.

    Attributes:
        images (np.ndarray): Pictures of the encoder's size, (N, H, W, 3)
            uint8, BGR.
        guidance (np.ndarray, optional): Their guidance views, likewise.
        inputs (torch.Tensor): The normalised pictures, (N, 3, H, W).
        mask (torch.Tensor): 0 is keep, 1 is remove, (N, L).
        pred (torch.Tensor): Prediction, (N, L, D).
        target (torch.Tensor): Target, (N, L, D).
    """
    images: np.ndarray
    guidance: Optional[np.ndarray]
    inputs: torch.Tensor
    mask: torch.Tensor
    pred: torch.Tensor
    target: torch.Tensor

    def hidden(self, grid: tuple) -> np.ndarray:
        """The mask as bool, (N, rows, columns)."""
        return self.mask.bool().cpu().unflatten(1, grid).numpy()

    def errors(self) -> torch.Tensor:
        """Mean squared error of hidden patches of each picture, (N, )."""
        return self._over_hidden((self.pred - self.target)**2)

    def mean_errors(self, own: bool = False) -> torch.Tensor:
        """The same of predicting a mean, (N, ).

        Args:
            own (bool): The mean of the picture's own targets, and not that
                of all targets.
        """
        mean = self.target.mean(dim=1 if own else (0, 1), keepdim=True)
        return self._over_hidden((mean - self.target)**2)

    def _over_hidden(self, values: torch.Tensor) -> torch.Tensor:
        values = values.mean(dim=-1) * self.mask
        return values.sum(dim=1) / self.mask.sum(dim=1)


@torch.no_grad()
def reconstruct(model: nn.Module, batch: Dict[str, Any],
                seed: int = 0) -> Reconstruction:
    """Hide patches of pictures and have them rebuilt.

    The model is left in the mode that it was in, no random numbers are drawn
    from shared generators, and its mask generator is not touched.

    Args:
        model (nn.Module): A :class:`~lmim.models.selfsup.MIM`.
        batch (Dict[str, Any]): As the dataloader gives it: ``inputs`` is a
            uint8 tensor (N, 3, H, W), BGR, or a list of two, with the
            guidance view.
        seed (int): Of the masks.

    Returns:
        Reconstruction: Pictures, masks, predictions and targets.
    """
    mim: Any = model
    views = batch['inputs']
    views = [views] if isinstance(views, torch.Tensor) else list(views)
    with _in_eval_mode(model):
        normalised = mim.data_preprocessor(
            dict(inputs=views, data_samples=None))['inputs']
        images = normalised[0]
        generator = torch.Generator().manual_seed(seed)
        noise = mim.backbone.mask.draw_noise(
            len(images), mim.backbone.grid, torch.device('cpu'), generator)
        visible, mask, ids_restore = mim.backbone(
            images, noise=noise.to(images.device))
        guided = getattr(mim.neck, 'guided', False)
        if guided:
            whole = mim.backbone(normalised[1], mask=False)
            pred = mim.neck(visible, ids_restore, whole)
        else:
            pred = mim.neck(visible, ids_restore)
        target = mim.target_generator(images)
    shown = [_pixels(view) for view in views]
    return Reconstruction(shown[0], shown[1] if guided else None, images,
                          mask, pred.float(), target.float())


def _pixels(view: torch.Tensor) -> np.ndarray:
    return view.permute(0, 2, 3, 1).cpu().numpy()


@contextmanager
def _in_eval_mode(model: nn.Module) -> Iterator[None]:
    """Put a model into eval mode, and each module back into its own."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
