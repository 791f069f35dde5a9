"""What the two branches of LMIM are shown."""
from typing import Optional, Sequence, Tuple

import cv2
import numpy as np
import torch
from matplotlib.figure import Figure
from mmocr.registry import MODELS, TRANSFORMS

from .patches import grey_out
from .random_state import random_state_kept
from .sheet import Row, draw_sheet

LEVELS = ('weak', 'medium', 'strong')
NOTE = ('image: resized to {} x {}, as both branches take it. visible: what '
        'masking leaves of it for the masked branch ({}). guidance view: the '
        'same text in another appearance, from the original picture, for the '
        'guidance branch; training draws anew each time. weak turns and '
        'crops; medium (the default) also changes colours, sharpness and '
        'perspective; strong does so by more.')


def draw_view_sheet(images: Sequence[np.ndarray],
                    img_size: Tuple[int, int] = (32, 128),
                    patch_size: Tuple[int, int] = (4, 4),
                    mask: dict = dict(type='RandomMasking', ratio=0.8),
                    seed: int = 0,
                    names: Optional[Sequence[str]] = None) -> Figure:
    """Draw pictures, what masking leaves of them, and guidance views.

    Args:
        images (Sequence[np.ndarray]): Original pictures, each (H, W, 3),
            uint8, BGR.
        img_size (Tuple[int, int]): Height and width that the encoder sees.
        patch_size (Tuple[int, int]): Height and width of a patch.
        mask (dict): Mask generator.
        seed (int): Of masks and views.
        names (Sequence[str], optional): Of the pictures.

    Returns:
        Figure: A row for each picture; columns are the picture, its visible
        patches, and a guidance view at each level.
    """
    grid = (img_size[0] // patch_size[0], img_size[1] // patch_size[1])
    generator = MODELS.build(dict(mask, _scope_='mmocr'))
    generator.seed_masks(seed)
    masks = generator(len(images), grid, torch.device('cpu')).mask.numpy()
    views = [
        TRANSFORMS.build(dict(
            type='GuidanceView', level=level, img_size=img_size,
            _scope_='mmocr')) for level in LEVELS
    ]
    titles = ['image', f'visible {1 - generator.ratio:.0%}'] + [
        f'guidance view, {level}' for level in LEVELS]
    rows = []
    with random_state_kept(seed):
        for number, image in enumerate(images):
            resized = cv2.resize(image, img_size[::-1])
            shown = [resized,
                     grey_out(resized, masks[number].reshape(grid))]
            shown += [view(dict(img=image.copy()))['guidance_img']
                      for view in views]
            rows.append(Row(shown, names[number] if names else ''))
    note = NOTE.format(*img_size, type(generator).__name__)
    return draw_sheet(rows, titles, note)
