"""Both views of a picture by imgaug, Pillow and torchvision.

The operations are those that the authors name, composed in imgaug; the
resize, colour jitter and greyscale after them are Pillow's and torchvision's.
"""
import io
from typing import Callable, Sequence, Tuple

import imgaug.augmenters as iaa
import numpy as np
import torch
from PIL import Image
from torchvision import transforms


class PlainPipeline:
    """Decodes pictures and makes both views.

    Args:
        read (Callable): Gives the file of a picture by its number.
        img_size (Tuple[int, int]): (height, width) of the views.
    """

    def __init__(self, read: Callable[[int], bytes],
                 img_size: Tuple[int, int] = (32, 128)) -> None:
        self.read = read
        self.size = img_size[::-1]
        # The ten operations of the medium level.
        self.augment = iaa.SomeOf((3, None), [
            iaa.LinearContrast((0.5, 1.0)),
            iaa.GaussianBlur(sigma=(0.5, 1.5)),
            iaa.Crop(percent=((0, 0.1), 0, (0, 0.1), 0), keep_size=False),
            iaa.Crop(percent=(0, (0, 0.02), 0, (0, 0.02)), keep_size=False),
            iaa.Sharpen(alpha=(0.0, 0.5), lightness=(0.0, 0.5)),
            iaa.Rotate((-15, 15), fit_output=True),
            iaa.PiecewiseAffine(scale=(0.03, 0.05), mode='edge'),
            iaa.PerspectiveTransform(scale=(0.02, 0.06)),
            iaa.Solarize(1.0, threshold=(32, 128),
                         invert_above_threshold=0.5),
            iaa.Grayscale(alpha=(0.0, 1.0)),
        ], random_order=True)
        self.recolor = transforms.Compose([
            transforms.RandomApply(
                [transforms.ColorJitter(0.4, 0.4, 0.2, 0.1)], p=0.8),
            transforms.RandomGrayscale(p=0.2),
        ])

    def batch(self, indices: Sequence[int]) -> Tuple[torch.Tensor, ...]:
        """Both views of some records, (N, 3, height, width), uint8, RGB."""
        images, views = [], []
        for index in indices:
            picture = Image.open(io.BytesIO(self.read(index))).convert('RGB')
            images.append(self._resized(picture))
            # The guidance view of medium level.
            view = Image.fromarray(self.augment(image=np.array(picture)))
            views.append(self.recolor(self._resized(view)))
        first, second = (
            torch.stack([torch.from_numpy(
                np.asarray(view).transpose(2, 0, 1).copy()) for view in each])
            for each in (images, views))
        return first, second

    def _resized(self, picture: Image.Image) -> Image.Image:
        return picture.resize(self.size, Image.Resampling.BICUBIC)
