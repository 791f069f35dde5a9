"""Where the text of a picture is, and which of its regions are characters."""
from typing import Any, Dict, Tuple

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmocr.registry import TRANSFORMS

from lmim.utils.errors import UserError

SOURCES = ('otsu', 'letters')
#: Regions of a picture, as many as CCD looks at.
MOST_REGIONS = 26
#: What is text and in no region.
NO_REGION = 255


def text_mask(gray: np.ndarray) -> np.ndarray:
    """Split grey values in two, of which the background has the borders.

    The threshold is Otsu's, the optimum of 2-means on grey values. The
    background has the majority of at least three of the four borders; of two
    each, that of all their pixels together (CCD leaves these to the seed).

    Args:
        gray (np.ndarray): A grey picture, (H, W), uint8.

    Returns:
        np.ndarray: 1 is text, (H, W), uint8; all 0 where the picture has one
        grey value.
    """
    bright = cv2.threshold(gray, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]
    borders = (bright[0], bright[-1], bright[:, 0], bright[:, -1])
    votes = sum(border.mean() > 0.5 for border in borders)
    if votes == 2:
        votes += np.concatenate(borders).mean() - 0.5
    return 1 - bright if votes > 2 else bright


def number_regions(mask: np.ndarray, least: int = 30,
                   most: int = MOST_REGIONS) -> np.ndarray:
    """Number the connected regions of a mask from left to right.

    Args:
        mask (np.ndarray): 1 is text, (H, W), uint8.
        least (int): Pixels of a region, which touch at sides or corners.
        most (int): The first ones, row by row, that are numbered.

    Returns:
        np.ndarray: (H, W), uint8: 0 is background, k the region whose mean
        column is the k-th, and 255 text that is in none.
    """
    _, labels, stats, centers = cv2.connectedComponentsWithStats(
        mask, connectivity=8)
    # OpenCV numbers them row by row; 0 is the background.
    kept = 1 + np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] >= least)[:most]
    numbers = np.full(len(stats), NO_REGION, np.uint8)
    numbers[0] = 0
    order = kept[np.argsort(centers[kept, 0], kind='stable')]
    numbers[order] = np.arange(1, len(order) + 1)
    return numbers[labels]


@TRANSFORMS.register_module()
class GlyphMap(BaseTransform):
    """Find the text of a picture and number its characters, without labels.

    CCD (arXiv 2211.00288): grey values are clustered in two, and connected
    regions of text are taken for characters. On sharp, spaced text they are;
    on small, blurred words they are strokes and blobs. Rendered words tell
    exactly which pixel belongs to which letter: ``source='letters'``, with
    ``RenderedTextDataset(with_letters='labels')``.

    Put it before transforms that change ``img``.

    Required Keys:

    - img ((H, W, 3) or (H, W), uint8, BGR), or
    - gt_seg_map ((H, W), uint8), with ``source='letters'``

    Added Keys:

    - glyph_map ((height, width), uint8): 0 is background, k the k-th region
      from left to right, up to 26, and 255 text that is in none.

    Args:
        source (str): 'otsu' or 'letters'.
        img_size (Tuple[int, int]): (height, width) of the map.
        least (int): Pixels of a region at that size, with 'otsu'.

    Raises:
        UserError: If there is no such source.
    """

    #: Where the map may come from.
    sources: Tuple[str, ...] = SOURCES

    def __init__(self, source: str = 'otsu',
                 img_size: Tuple[int, int] = (32, 128),
                 least: int = 30) -> None:
        if source not in self.sources:
            raise UserError(f'{type(self).__name__}(source={source!r}): take '
                            f'one of {self.sources}')
        self.source = source
        self.img_size = (int(img_size[0]), int(img_size[1]))
        self.least = least

    def transform(self, results: Dict[str, Any]) -> Dict[str, Any]:
        """Add the map.

        Raises:
            UserError: If there are no letters to take it from.
        """
        if self.source == 'letters':
            results['glyph_map'] = self._of_letters(results)
            return results
        gray = results['img']
        if gray.ndim == 3 and gray.shape[2] == 3:
            gray = cv2.cvtColor(gray, cv2.COLOR_BGR2GRAY)
        mask = self._resize(text_mask(gray.reshape(gray.shape[:2])).astype(
            np.float32), cv2.INTER_LINEAR) >= 0.5
        results['glyph_map'] = number_regions(
            mask.astype(np.uint8), self.least)
        return results

    def _of_letters(self, results: Dict[str, Any]) -> np.ndarray:
        letters = results.get('gt_seg_map')
        if letters is None:
            raise UserError(
                f"{type(self).__name__}(source='letters') needs gt_seg_map: "
                "take RenderedTextDataset(with_letters='labels'), or "
                f"source='{self.sources[0]}' for pictures that do not say "
                'where letters are')
        letters = self._resize(letters, cv2.INTER_NEAREST)
        return np.where(letters > MOST_REGIONS, NO_REGION,
                        letters).astype(np.uint8)

    def _resize(self, mask: np.ndarray, how: int) -> np.ndarray:
        return cv2.resize(mask, self.img_size[::-1], interpolation=how)

    def __repr__(self) -> str:
        return (f'{self.__class__.__name__}(source={self.source!r}, '
                f'img_size={self.img_size}, least={self.least})')
