"""Deformable convolution, v1 (arXiv 1703.06211) and v2 (arXiv 1811.11168).

Each tap of a kernel reads the picture beside its place, by an offset of its
own, and in v2 is weighed by a mask. mmcv's operator is compiled, and so is
torchvision's, which PyPI's wheels lack beside a torch for CPUs; here it is
made of torch's own.
"""
from functools import lru_cache
from typing import Callable, List, Optional, Sequence, Tuple, Union

import torch
import torch.nn.functional as F

from .tracing import is_traced

Pair = Union[int, Sequence[int]]


def deform_conv2d(x: torch.Tensor,
                  offset: torch.Tensor,
                  weight: torch.Tensor,
                  bias: Optional[torch.Tensor] = None,
                  stride: Pair = 1,
                  padding: Pair = 0,
                  dilation: Pair = 1,
                  mask: Optional[torch.Tensor] = None) -> torch.Tensor:
    """Convolve with taps that are moved, called as torchvision's.

    Outside of the picture everything is 0; between pixels it is bilinear.
    At whole-number places the derivative by the offset is that to the right.
    Under autocast places are computed in fp32, as bfloat16 has an error of a
    tenth of a pixel at the right end of a word.

    Args:
        x (torch.Tensor): (N, C, H, W).
        offset (torch.Tensor): In pixels, (N, 2 * G * K, rows, columns), K the
            number of taps and G that of groups of channels that move alike;
            of each group and tap first that of the row.
        weight (torch.Tensor): (C', C / groups, height, width).
        bias (torch.Tensor, optional): (C', ).
        stride (int | Sequence[int]): Along rows and columns.
        padding (int | Sequence[int]): The same.
        dilation (int | Sequence[int]): The same.
        mask (torch.Tensor, optional): (N, G * K, rows, columns); None is 1.

    Returns:
        torch.Tensor: (N, C', rows, columns).
    """
    steps = [_pair(each) for each in (stride, padding, dilation)]
    if not is_traced() and torchvision_serves(x.device.type):
        return _torchvision(x, offset, weight, bias, steps, mask)
    return _by_torch(x, offset, weight, bias, steps, mask)


def deform_conv_way(device: str) -> str:
    """By which operator deformable convolutions are computed on a device."""
    if torchvision_serves(device):
        return "torchvision's operator"
    return 'plain torch' + ('' if device != 'cpu' else
                            ", which is faster there than torchvision's")


def torchvision_serves(device: str) -> bool:
    """Whether torchvision's operator is the better one on a kind of device.

    On a CPU it is not: 4.2 s where :func:`_by_torch` takes 0.53 (3x3, 64
    channels, 16x64, batch 8, forward and backward on one core).
    """
    return device != 'cpu' and _torchvision_agrees(device)


@lru_cache(maxsize=None)
def _torchvision_agrees(device: str) -> bool:
    """Whether torchvision's operator loads, and computes what ours does.

    It is tried on a small picture, with its gradients.
    """
    inputs = [torch.linspace(-2, 2, 24).view(1, 2, 3, 4),
              torch.linspace(-1.3, 1.4, 160).view(1, 8, 4, 5),
              torch.linspace(1, -1, 24).view(3, 2, 2, 2),
              torch.linspace(0, 1, 80).view(1, 4, 4, 5)]

    def run(kind: Callable[..., torch.Tensor]) -> List[torch.Tensor]:
        own = [each.to(device).requires_grad_() for each in inputs]
        output = kind(*own[:3], None, [(1, 1), (1, 1), (1, 1)], own[3])
        return [output, *torch.autograd.grad((output**2).sum(), own)]

    try:
        with torch.enable_grad(), torch.autocast(device, enabled=False):
            return all(torch.allclose(one, other, atol=1e-4) for one, other
                       in zip(run(_by_torch), run(_torchvision)))
    except (AttributeError, NotImplementedError, RuntimeError, TypeError):
        return False


def _torchvision(x: torch.Tensor, offset: torch.Tensor, weight: torch.Tensor,
                 bias: Optional[torch.Tensor],
                 steps: Sequence[Tuple[int, int]],
                 mask: Optional[torch.Tensor]) -> torch.Tensor:
    """By torchvision's operator; there is none before it is imported."""
    taps = weight.shape[2] * weight.shape[3]
    groups = x.shape[1] // weight.shape[1]
    exact = torch.promote_types(x.dtype, torch.float32)
    # It takes one type, and needs tensors where there is no mask or bias.
    given = [each.to(exact) for each in (
        x, weight, offset, x.new_empty(0) if mask is None else mask,
        x.new_zeros(weight.shape[0]) if bias is None else bias)]
    return torch.ops.torchvision.deform_conv2d(
        *given, *(side for pair in steps for side in pair), groups,
        offset.shape[1] // (2 * taps), mask is not None).to(x.dtype)


def _by_torch(x: torch.Tensor, offset: torch.Tensor, weight: torch.Tensor,
              bias: Optional[torch.Tensor], steps: Sequence[Tuple[int, int]],
              mask: Optional[torch.Tensor]) -> torch.Tensor:
    """By torch's own: four corners of each place, and one matrix product."""
    batch, channels, *size = x.shape
    out, per_group, *kernel = weight.shape
    taps, grid = kernel[0] * kernel[1], tuple(offset.shape[2:])
    moved = offset.shape[1] // (2 * taps)
    exact = torch.promote_types(x.dtype, torch.float32)
    # (N, rows, columns, K, G) throughout.
    shift = offset.to(exact).view(batch, moved, taps, 2, *grid)
    place = _taps(kernel, grid, steps, x.device) + shift.permute(
        3, 0, 4, 5, 2, 1)
    weighed: torch.Tensor = place.new_ones(())
    if mask is not None:
        weighed = mask.to(exact).view(batch, moved, taps, *grid).permute(
            0, 3, 4, 2, 1)
    index, share = _corners(place, size, weighed)
    # Rows of the picture's pixels, channels last, those that move alike.
    pixels = x.to(exact).permute(0, 2, 3, 1).reshape(-1, channels // moved)
    if is_traced():  # which know no bags
        read = (pixels[index] * share[..., None]).sum(dim=1)
    else:
        read = F.embedding_bag(index, pixels, mode='sum',
                               per_sample_weights=share)
    read = read.view(batch, *grid, taps, channels).to(weight.dtype)
    groups = channels // per_group
    if groups == 1:
        output = F.linear(read.flatten(3),
                          weight.flatten(2).transpose(1, 2).flatten(1), bias)
    else:
        output = torch.einsum(
            'nrckgi,goik->nrcgo', read.unflatten(4, (groups, per_group)),
            weight.flatten(2).unflatten(0, (groups, -1))).flatten(3)
        output = output if bias is None else output + bias
    return output.permute(0, 3, 1, 2)


def _taps(kernel: Sequence[int], grid: Sequence[int],
          steps: Sequence[Tuple[int, int]],
          device: torch.device) -> torch.Tensor:
    """Rows and columns of all taps where none is moved, (2, 1, ..., K, 1)."""
    sides = []
    for side in range(2):
        (stride, padding, dilation) = (pair[side] for pair in steps)
        first = torch.arange(grid[side], device=device) * stride - padding
        tap = torch.arange(kernel[side], device=device) * dilation
        sides.append(first[:, None] + tap)
    (height, row), (width, column) = (each.shape for each in sides)
    rows = sides[0].view(height, 1, row, 1).expand(-1, width, -1, column)
    columns = sides[1].view(1, width, 1, column).expand(height, -1, row, -1)
    return torch.stack([rows, columns]).flatten(3)[:, None, ..., None]


def _corners(place: torch.Tensor, size: Sequence[int], weighed: torch.Tensor
             ) -> Tuple[torch.Tensor, torch.Tensor]:
    """Rows of the table of pixels around each place, and their shares.

    Args:
        place (torch.Tensor): Rows and columns, (2, N, rows, columns, K, G).
        size (Sequence[int]): Height and width of the picture.
        weighed (torch.Tensor): What the shares are multiplied by.

    Returns:
        Tuple: (places, 4) each. Pixels outside are any, of share 0.
    """
    low = place.detach().floor()
    part = place - low
    index, share = [], []
    for below in (0, 1):
        for right in (0, 1):
            corner = low + low.new_tensor([below, right]).view(
                2, *[1] * (low.dim() - 1))
            sides = [part[side] if more else 1 - part[side]
                     for side, more in enumerate((below, right))]
            inside = torch.stack([
                (corner[side] >= 0) & (corner[side] <= size[side] - 1)
                for side in range(2)]).all(dim=0)
            # Whole numbers last: what is no number stays within the table.
            row, column = (
                corner[side].clamp(-1, size[side]).long().clamp(
                    0, size[side] - 1) for side in range(2))
            index.append(row * size[1] + column)
            share.append(sides[0] * sides[1] * inside * weighed)
    batch, groups = place.shape[1], place.shape[-1]
    first = torch.arange(batch, device=place.device).view(-1, 1, 1, 1, 1)
    own = torch.arange(groups, device=place.device)
    rows = (torch.stack(index, dim=-1) + (
        first * (size[0] * size[1]))[..., None]) * groups + own[:, None]
    return rows.flatten(0, -2), torch.stack(share, dim=-1).flatten(0, -2)


def _pair(value: Pair) -> Tuple[int, int]:
    return (value, value) if isinstance(value, int) else (
        int(value[0]), int(value[1]))
