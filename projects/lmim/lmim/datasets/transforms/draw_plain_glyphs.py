"""The word of a picture in plain letters, as a target of pre-training."""
from typing import Any, Dict, Optional, Tuple

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmocr.registry import TRANSFORMS

from lmim.rendering import PlainGlyphs
from lmim.utils.errors import UserError


@TRANSFORMS.register_module()
class DrawPlainGlyphs(BaseTransform):
    """Give each picture its word in plain letters.

    Words of ``RenderedTextDataset(with_plain_glyphs=True)`` have it, in the
    place of the styled letters: it is brought to the size. Of labelled
    pictures it is not known where letters are: the label is drawn level, as
    high and wide as the picture, and ``straight`` says so.

    Required Keys:

    - plain_glyphs, or
    - instances (with ``with_text=True`` of the data set)

    Added Keys:

    - plain_glyphs ((height, width), uint8): 255 where a letter is.
    - straight (float32, a scalar): 1 where the word was drawn level.

    Args:
        img_size (tuple[int, int]): (height, width) of the target.
        font (str, optional): The plain font; see
            :class:`~lmim.rendering.PlainGlyphs`.
        margin (float): Room around a level word, in heights of the letters.
    """

    def __init__(self,
                 img_size: Tuple[int, int] = (32, 128),
                 font: Optional[str] = None,
                 margin: float = 0.1) -> None:
        self.img_size = (int(img_size[0]), int(img_size[1]))
        self.margin = margin
        self.glyphs = PlainGlyphs(font)

    def transform(self, results: Dict[str, Any]) -> Dict[str, Any]:
        """Add the letters.

        Raises:
            UserError: If the picture has no text, or the font cannot draw it.
        """
        placed = results.get('plain_glyphs')
        if placed is not None:
            results['plain_glyphs'] = cv2.resize(
                placed, self.img_size[::-1], interpolation=cv2.INTER_LINEAR)
        elif results.get('instances'):
            results['plain_glyphs'] = self.glyphs.straight(
                results['instances'][0]['text'], self.img_size, self.margin)
        else:
            raise UserError(
                'DrawPlainGlyphs needs the text of each picture: give a '
                'labelled data set and with_text=True')
        results['straight'] = np.array(placed is None, np.float32)
        return results

    def __repr__(self) -> str:
        return (f'{self.__class__.__name__}(img_size={self.img_size}, '
                f'font={self.glyphs.font.path!r}, margin={self.margin})')
