"""Guidance views made on the device, of what workers have drawn."""
from typing import Any, Callable, Dict, List, Tuple

import torch
import torch.nn.functional as F
from mmocr.registry import MODELS
from mmpretrain.models import SelfSupDataPreprocessor
from torch import Tensor

from lmim.datasets.transforms.guidance_plan import STEPS
from lmim.utils.errors import UserError

#: Weights of blue, green and red in grey, as OpenCV has them.
_LUMA = (0.114, 0.587, 0.299)
_MID_GREY = 127.5


def make_views(images: Tensor, plan: Tensor) -> Tensor:
    """Do to each picture what its plan says.

    Args:
        images (torch.Tensor): Pictures from 0 to 255, BGR, (N, 3, H, W).
        plan (torch.Tensor): As ``GuidancePlan`` gives it, (N, S, P), on the
            CPU: what is done to which picture is known without waiting for
            the device.

    Returns:
        torch.Tensor: The views, (N, 3, H, W).
    """
    numbers = plan[..., 0].long()
    values = plan[..., 1:].to(images.device, non_blocking=True)
    images = images.clone()
    for step in range(plan.shape[1]):
        for number in numbers[:, step].unique().tolist():
            if number == 0:
                continue
            chosen = (numbers[:, step] == number).nonzero().squeeze(1).to(
                images.device, non_blocking=True)
            images[chosen] = _DO[STEPS[number]](
                images[chosen], values[chosen, step]).clamp(0, 255)
    return images


def _column(values: Tensor, index: int) -> Tensor:
    """A value of each picture, (N, 1, 1, 1)."""
    return values[:, index].view(-1, 1, 1, 1)


def _places(images: Tensor) -> Tuple[Tensor, Tensor]:
    """Places of pixels in the frame, -1 to 1: x (W) and y (H)."""
    height, width = images.shape[-2:]
    x, y = ((2 * torch.arange(size, device=images.device) + 1) / size - 1
            for size in (width, height))
    return x, y


def _homography(images: Tensor, values: Tensor) -> Tensor:
    x, y = _places(images)
    grid = torch.stack(torch.broadcast_tensors(
        x, y[:, None], torch.ones_like(x)), dim=-1)
    seen = torch.einsum('nij,hwj->nhwi', values[:, :9].view(-1, 3, 3), grid)
    return F.grid_sample(images, seen[..., :2] / seen[..., 2:],
                         align_corners=False)


def _bend(images: Tensor, values: Tensor) -> Tensor:
    """Between points of a grid, shifts are interpolated, see guidance_ops."""
    height, width = images.shape[-2:]

    def weights(points: Tensor, size: int) -> Tensor:
        """Of up to 4 points along an axis of some pixels, (N, size, 4)."""
        at = torch.arange(size, device=images.device) / (size - 1)
        at = at * (points[:, None] - 1)
        near = at[..., None] - torch.arange(4, device=images.device)
        return (1 - near.abs()).clamp(min=0)

    rows, columns = values[:, 0], values[:, 1]
    along_y, along_x = weights(rows, height), weights(columns, width)
    # The grids lie row by row, without gaps.
    place = (torch.arange(4, device=images.device)[:, None]
             * columns[:, None, None]
             + torch.arange(4, device=images.device)).long()
    shifts = values[:, 2:].view(len(values), 16, 2)
    grid = torch.stack([shifts[..., axis].gather(
        1, place.flatten(1).clamp(max=15)).view(-1, 4, 4)
        for axis in (0, 1)])
    # Weights of points that a picture does not have are 0.
    moved = torch.einsum('nhr,anrc,nwc->anhw', along_y, grid, along_x)
    x, y = _places(images)
    seen = torch.stack([x + 2 * moved[0], y[:, None] + 2 * moved[1]], dim=-1)
    return F.grid_sample(images, seen, padding_mode='border',
                         align_corners=False)


def _filter(images: Tensor, kernels: Tensor) -> Tensor:
    """Each picture by its own kernel, (N, h, w); borders are mirrored."""
    high, wide = kernels.shape[-2:]
    padded = F.pad(images, (wide // 2, wide // 2, high // 2, high // 2),
                   'reflect')
    merged = F.conv2d(
        padded.reshape(1, -1, *padded.shape[-2:]),
        kernels.repeat_interleave(3, 0)[:, None], groups=3 * len(images))
    return merged.view_as(images)


def _blur(images: Tensor, values: Tensor) -> Tensor:
    for axis in (0, 1):
        # As far as that of the widest; 8 is half of the lowest picture.
        reach = 8
        taps = torch.arange(-reach, reach + 1, device=images.device)
        sigma = values[:, axis, None].clamp(min=1e-3)
        weights = torch.exp(-0.5 * (taps / sigma)**2)
        weights = weights * (taps.abs() <= values[:, 2 + axis, None].round())
        weights = weights / weights.sum(1, keepdim=True)
        images = _filter(images, weights[:, :, None] if axis == 0
                         else weights[:, None])
    return images


def _sharpen(images: Tensor, values: Tensor) -> Tensor:
    alpha, lightness = values[:, 0], values[:, 1]
    kernels = (-alpha)[:, None, None].repeat(1, 3, 3)
    kernels[:, 1, 1] = (1 - alpha) + alpha * (8 + lightness)
    return _filter(images, kernels)


def _gray(images: Tensor) -> Tensor:
    luma = images.new_tensor(_LUMA).view(3, 1, 1)
    return (images * luma).sum(1, keepdim=True)


def _contrast(images: Tensor, values: Tensor) -> Tensor:
    factor = _column(values, 0)
    return factor * images + (1 - factor) * _MID_GREY


def _solarize(images: Tensor, values: Tensor) -> Tensor:
    # Whole numbers on the CPU: those from the threshold on, or below it.
    threshold = _column(values, 0).floor() - 0.5
    chosen = (images >= threshold) == _column(values, 1).bool()
    return torch.where(chosen, 255 - images, images)


def _grayscale(images: Tensor, values: Tensor) -> Tensor:
    alpha = _column(values, 0)
    return alpha * _gray(images) + (1 - alpha) * images


def _brightness(images: Tensor, values: Tensor) -> Tensor:
    return _column(values, 0) * images


def _mean_contrast(images: Tensor, values: Tensor) -> Tensor:
    factor = _column(values, 0)
    mean = _gray(images).mean((1, 2, 3), keepdim=True)
    return factor * images + (1 - factor) * mean


def _hue(images: Tensor, values: Tensor) -> Tensor:
    """Turn the hue in HSV; value and saturation stay."""
    blue, green, red = images.unbind(1)
    value, _ = images.max(1)
    spread = value - images.min(1)[0]
    safe = spread.clamp(min=1e-6)
    hue = torch.where(
        value == red, (green - blue) / safe,
        torch.where(value == green, 2 + (blue - red) / safe,
                    4 + (red - green) / safe))
    hue = hue + 6 * values[:, 0].view(-1, 1, 1)

    def channel(offset: int) -> Tensor:
        # The usual formula of HSV to RGB, without cases.
        k = (offset + hue) % 6
        return value - spread * torch.minimum(k, 4 - k).clamp(0, 1)

    return torch.stack([channel(1), channel(3), channel(5)], dim=1)


_DO: Dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    'homography': _homography, 'bend': _bend, 'contrast': _contrast,
    'blur': _blur, 'sharpen': _sharpen, 'solarize': _solarize,
    'grayscale': _grayscale, 'brightness': _brightness,
    'mean_contrast': _mean_contrast, 'hue': _hue}


@MODELS.register_module()
class GuidanceViewPreprocessor(SelfSupDataPreprocessor):
    """Normalise pictures, and make their guidance views on the device.

    Args:
        img_size (Tuple[int, int]): (height, width) of what the model gets;
            larger pictures are averaged down to it once their views are
            made. Defaults to (32, 128).
        **kwargs: Of mmpretrain's ``SelfSupDataPreprocessor``; by default
            those of all methods here.
    """

    def __init__(self, img_size: Tuple[int, int] = (32, 128),
                 **kwargs: Any) -> None:
        super().__init__(**{**dict(mean=[127.5] * 3, std=[127.5] * 3,
                                   bgr_to_rgb=True, non_blocking=True),
                            **kwargs})
        self.img_size = tuple(img_size)

    def forward(self, data: dict, training: bool = False) -> dict:
        """Normalise a batch with its views; arguments as :meth:`add_views`."""
        return super().forward(self.add_views(data), training)

    @torch.no_grad()
    def add_views(self, data: dict) -> dict:
        """Add the views that ``data_samples['guidance_plan']`` describes.

        Args:
            data (dict): ``inputs``, uint8 (N, 3, H, W), and
                ``data_samples``, as ``PackPretrainInputs`` packs them.

        Returns:
            dict: The same with two inputs, pictures and views, uint8 on the
            device; a batch that has two already is left as it is.

        Raises:
            UserError: If there is no plan.
        """
        images, samples = data['inputs'], data['data_samples']
        if not isinstance(images, Tensor):
            return data
        if not isinstance(samples, dict) or 'guidance_plan' not in samples:
            raise UserError(
                'GuidanceViewPreprocessor makes views of what GuidancePlan '
                "draws: dict(type='GuidancePlan') and dict(type="
                "'PackPretrainInputs', keys=('img', ), meta_keys="
                "('guidance_plan', )) in the pipeline")
        images = self.cast_data(images).float()
        pair: List[Tensor] = [
            images, make_views(images, samples['guidance_plan'].cpu())]
        if tuple(images.shape[-2:]) != self.img_size:
            pair = [F.interpolate(each, self.img_size, mode='area')
                    for each in pair]
        return {**data, 'inputs': [each.round().byte() for each in pair]}
