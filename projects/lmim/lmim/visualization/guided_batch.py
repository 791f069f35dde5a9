"""Pictures as the dataloader of pre-training gives them."""
from typing import Any, Dict, Sequence, Tuple

import numpy as np
import torch
from mmocr.registry import TRANSFORMS

from .pictures import Picture
from .random_state import random_state_kept


def guided_batch(pictures: Sequence[Picture],
                 img_size: Sequence[int],
                 level: str = 'medium',
                 seed: int = 0) -> Dict[str, Any]:
    """Pictures and their guidance views.

    Args:
        pictures (Sequence[Picture]): N pictures.
        img_size (Sequence[int]): Height and width that the encoder sees.
        level (str): Of the guidance views.
        seed (int): Of the guidance views.

    Returns:
        Dict[str, Any]: ``inputs``: two uint8 tensors (N, 3, H, W), BGR.
    """
    size: Tuple[int, int] = (img_size[0], img_size[1])
    view = TRANSFORMS.build(dict(
        type='GuidanceView', level=level, img_size=size, _scope_='mmocr'))
    with random_state_kept(seed):
        guidance = [view(dict(img=each.image))['guidance_img']
                    for each in pictures]
    return dict(inputs=[
        torch.from_numpy(np.stack(views).transpose(0, 3, 1, 2).copy())
        for views in ([each.resized(size) for each in pictures], guidance)
    ])
