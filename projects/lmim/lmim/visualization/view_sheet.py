"""What the two branches of LMIM are shown."""
from typing import Sequence, Tuple

import cv2
import numpy as np
import torch
from matplotlib.figure import Figure
from mmocr.registry import MODELS, TRANSFORMS

LEVELS = ('weak', 'medium', 'strong')


def draw_view_sheet(images: Sequence[np.ndarray],
                    img_size: Tuple[int, int] = (32, 128),
                    patch_size: Tuple[int, int] = (4, 4),
                    mask: dict = dict(type='RandomMasking', ratio=0.8),
                    seed: int = 0) -> Figure:
    """Draw pictures, what masking leaves of them, and guidance views.

    Args:
        images (Sequence[np.ndarray]): Original pictures, each (H, W, 3),
            uint8, BGR.
        img_size (Tuple[int, int]): Height and width that the encoder sees.
        patch_size (Tuple[int, int]): Height and width of a patch.
        mask (dict): Mask generator.
        seed (int): Of masks and views.

    Returns:
        Figure: A row for each picture; columns are the picture, its visible
        patches, and a guidance view at each level.
    """
    grid = (img_size[0] // patch_size[0], img_size[1] // patch_size[1])
    generator = MODELS.build(dict(mask, _scope_='mmocr'))
    generator.seed_masks(seed)
    masks = generator(len(images), grid, torch.device('cpu')).mask.numpy()
    views = {
        level: TRANSFORMS.build(dict(
            type='GuidanceView', level=level, img_size=img_size,
            _scope_='mmocr')) for level in LEVELS
    }
    titles = ['image', f'visible {1 - generator.ratio:.0%}'] + [
        f'guidance view, {level}' for level in LEVELS]
    figure = Figure(figsize=(2.2 * len(titles), 0.62 * len(images) + 0.5),
                    layout='constrained')
    axes = figure.subplots(len(images), len(titles), squeeze=False)
    # The transforms draw from NumPy's global state; it is left as it was.
    state = np.random.get_state()
    np.random.seed(seed)
    for row, (image, hidden) in enumerate(zip(images, masks)):
        resized = cv2.resize(image, img_size[::-1])
        shown = [resized, _masked(resized, hidden.reshape(grid), patch_size)]
        shown += [views[level](dict(img=image.copy()))['guidance_img']
                  for level in LEVELS]
        for axis, title, picture in zip(axes[row], titles, shown):
            axis.imshow(picture[..., ::-1])
            axis.set_xticks([])
            axis.set_yticks([])
            if row == 0:
                axis.set_title(title, fontsize=8)
    np.random.set_state(state)
    return figure


def _masked(image: np.ndarray, mask: np.ndarray,
            patch_size: Tuple[int, int]) -> np.ndarray:
    """Grey out the patches that are removed (mask is 1)."""
    hidden = np.kron(mask, np.ones(patch_size)).astype(bool)
    return np.where(hidden[..., None], np.uint8(128), image)
