"""The word of a picture in plain letters, as a target of pre-training."""
import logging
from typing import Any, Dict, Optional, Tuple

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.logging import print_log
from mmocr.registry import TRANSFORMS

from lmim.rendering import PlainGlyphs
from lmim.utils.errors import UserError

#: So many pictures are named whose text a process could not draw.
MOST_NAMED = 10


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

    Raises:
        UserError: If the font cannot be opened, or ``margin`` is negative.
    """

    def __init__(self,
                 img_size: Tuple[int, int] = (32, 128),
                 font: Optional[str] = None,
                 margin: float = 0.1) -> None:
        if margin < 0:
            raise UserError(f'margin is room around a word, not {margin}')
        self.img_size = (int(img_size[0]), int(img_size[1]))
        self.margin = margin
        self.glyphs = PlainGlyphs(font)
        self.left_out = 0

    def transform(self, results: Dict[str, Any]) -> Optional[Dict[str, Any]]:
        """Add the letters.

        Returns:
            dict: None where the font cannot draw the text, which is logged of
            the first ten: the data set takes another picture.

        Raises:
            UserError: If the picture has no text.
        """
        placed = results.get('plain_glyphs')
        if placed is not None:
            results['plain_glyphs'] = cv2.resize(
                placed, self.img_size[::-1], interpolation=cv2.INTER_LINEAR)
        else:
            results['plain_glyphs'] = self._level(results)
            if results['plain_glyphs'] is None:
                return None
        results['straight'] = np.array(placed is None, np.float32)
        return results

    def _level(self, results: Dict[str, Any]) -> Optional[np.ndarray]:
        where = results.get('img_path', 'a picture')
        instances = results.get('instances')
        if not instances or 'text' not in instances[0]:
            raise UserError(
                f'DrawPlainGlyphs needs the text of each picture, and {where} '
                'has none: give a labelled data set and with_text=True')
        try:
            return self.glyphs.straight(
                instances[0]['text'], self.img_size, self.margin)
        except UserError as error:
            self.left_out += 1
            if self.left_out <= MOST_NAMED:
                print_log(f'DrawPlainGlyphs leaves out {where}: {error}',
                          'current', logging.WARNING)
            return None

    def __repr__(self) -> str:
        return (f'{self.__class__.__name__}(img_size={self.img_size}, '
                f'font={self.glyphs.font.path!r}, margin={self.margin})')
