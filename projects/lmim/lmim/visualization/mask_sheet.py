"""What masks leave of pictures."""
from typing import Optional, Sequence, Tuple

import cv2
import numpy as np
import torch
from matplotlib.figure import Figure
from mmocr.registry import MODELS

from .patches import grey_out
from .sheet import Row, draw_sheet, enlarge


def draw_mask_sheet(images: Sequence[np.ndarray],
                    masks: Sequence[dict],
                    img_size: Tuple[int, int] = (32, 128),
                    patch_size: Tuple[int, int] = (4, 4),
                    seed: int = 0,
                    names: Optional[Sequence[str]] = None) -> Figure:
    """Draw what mask generators leave of pictures.

    Args:
        images (Sequence[np.ndarray]): Pictures, each (H, W, 3) uint8, BGR.
        masks (Sequence[dict]): Mask generators, such as
            ``dict(type='BlockMasking', ratio=0.6)``.
        img_size (Tuple[int, int]): Height and width that the encoder sees.
        patch_size (Tuple[int, int]): Height and width of a patch.
        seed (int): Of the masks.
        names (Sequence[str], optional): Of the pictures.

    Returns:
        Figure: A row for each picture; columns are the picture and what
        each generator leaves visible.
    """
    grid = (img_size[0] // patch_size[0], img_size[1] // patch_size[1])
    total = grid[0] * grid[1]
    generators = [MODELS.build(dict(mask, _scope_='mmocr')) for mask in masks]
    titles, drawn = ['image'], []
    for generator in generators:
        generator.seed_masks(seed)
        drawn.append(generator(len(images), grid, torch.device('cpu'))
                     .mask.reshape(-1, *grid).numpy())
        titles.append(f'{type(generator).__name__} {generator.ratio:.0%}: '
                      f'{generator.num_keep(total)} of {total} visible')
    rows = []
    for number, image in enumerate(images):
        resized = cv2.resize(image, img_size[::-1])
        shown = [resized] + [grey_out(resized, each[number])
                             for each in drawn]
        rows.append(Row([enlarge(each, 2) for each in shown],
                        names[number] if names else ''))
    return draw_sheet(
        rows, titles, f'Pictures of {img_size[0]} x {img_size[1]} in a grid '
        f'of {grid[0]} x {grid[1]} patches of {patch_size[0]} x '
        f'{patch_size[1]}. Grey patches are hidden from the encoder, and are '
        'to be rebuilt. Each picture of a batch has as many; training draws '
        'anew for each.')
