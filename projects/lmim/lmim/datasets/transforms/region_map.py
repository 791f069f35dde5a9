"""Regions of a picture by its colours, for methods that group its parts."""
from typing import Any, Dict, Tuple

import cv2
import numpy as np
from mmocr.registry import TRANSFORMS

from lmim.utils.errors import UserError
from .glyph_map import MOST_REGIONS, GlyphMap


def cluster_colors(img: np.ndarray, count: int,
                   iterations: int = 8) -> np.ndarray:
    """k-means of the colours of a picture, the same each time.

    The first centre is the mean of all pixels, or rather the pixel nearest to
    it; each further one the pixel that is farthest from those before.

    Args:
        img (np.ndarray): (H, W, 3), uint8.
        count (int): Clusters.
        iterations (int): Times that centres are taken anew.

    Returns:
        np.ndarray: Labels from 0, (H, W), int64; some may be missing.
    """
    pixels = img.reshape(-1, 3).astype(np.float32)
    chosen = [((pixels - pixels.mean(axis=0))**2).sum(axis=1).argmin()]
    far = np.full(len(pixels), np.inf)
    for _ in range(count - 1):
        far = np.minimum(far, ((pixels - pixels[chosen[-1]])**2).sum(axis=1))
        chosen.append(far.argmax())
    labels = ((pixels[:, None] - pixels[chosen])**2).sum(axis=2).argmin(axis=1)
    for _ in range(iterations):
        sizes = np.bincount(labels, minlength=count)
        sums = np.stack([np.bincount(labels, pixels[:, channel], count)
                         for channel in range(3)], axis=1)
        centers = sums / np.maximum(sizes, 1)[:, None]
        # One that has lost all its pixels gets none again.
        away = np.where(sizes > 0, (centers**2).sum(axis=1) / 2, np.inf)
        labels = (pixels @ centers.T.astype(np.float32) - away).argmax(axis=1)
    return labels.reshape(img.shape[:2])


@TRANSFORMS.register_module()
class RegionMap(GlyphMap):
    """Number regions of one colour, or letters, for :class:`HSG`.

    HSG takes regions of an edge detector (OWT-UCM, in Matlab). Here colours
    are clustered (k-means), and a region is what is connected of a cluster;
    the cluster that most pixels of the borders have is the ground, region 0,
    with all pieces that are too small. Rendered words tell exactly which
    pixel belongs to which letter: ``source='letters'``, with
    ``RenderedTextDataset(with_letters='labels')``.

    Put it before transforms that change ``img``.

    Required Keys:

    - img ((H, W, 3), uint8, BGR), or
    - gt_seg_map ((H, W), uint8), with ``source='letters'``

    Added Keys:

    - region_map ((height, width), uint8): 0 is the ground, k the k-th region
      from left to right, up to 26.

    Args:
        source (str): 'colors' or 'letters'.
        img_size (Tuple[int, int]): (height, width) of the map.
        least (int): Pixels of a region at that size, with 'colors'.
        colors (int): Clusters.

    Raises:
        UserError: If there is no such source.
    """

    sources = ('colors', 'letters')

    def __init__(self, source: str = 'colors',
                 img_size: Tuple[int, int] = (32, 128),
                 least: int = 30, colors: int = 3) -> None:
        super().__init__(source, img_size, least)
        self.colors = colors

    def transform(self, results: Dict[str, Any]) -> Dict[str, Any]:
        """Add the map.

        Raises:
            UserError: If there are no letters to take it from, or the picture
                has no colours.
        """
        if self.source == 'letters':
            found = self._of_letters(results)
            results['region_map'] = np.where(found > MOST_REGIONS, 0, found)
            return results
        img = results['img']
        if img.ndim != 3 or img.shape[2] != 3:
            raise UserError(
                f'RegionMap got a picture of shape {img.shape} '
                f'({results.get("img_path")}), and takes (H, W, 3): decode '
                "it with color_type='color'")
        small = self._resize(img, cv2.INTER_AREA)
        results['region_map'] = self._of_colors(
            cluster_colors(small, self.colors))
        return results

    def _of_colors(self, labels: np.ndarray) -> np.ndarray:
        """Number what is connected of each cluster but the ground's."""
        borders = np.concatenate([labels[0], labels[-1], labels[:, 0],
                                  labels[:, -1]])
        ground = np.bincount(borders).argmax()
        pieces = np.zeros(labels.shape, np.int64)
        centers, sizes = [np.zeros(1)], [np.zeros(1)]
        for color in range(self.colors):
            if color == ground:
                continue
            _, found, stats, middle = cv2.connectedComponentsWithStats(
                (labels == color).astype(np.uint8), connectivity=8)
            first = sum(map(len, sizes))
            pieces[found > 0] = found[found > 0] + first - 1
            centers.append(middle[1:, 0])
            sizes.append(stats[1:, cv2.CC_STAT_AREA])
        center, size = np.concatenate(centers), np.concatenate(sizes)
        kept = size.argsort(kind='stable')[::-1][:MOST_REGIONS]
        kept = kept[size[kept] >= self.least]
        numbers = np.zeros(len(size), np.uint8)
        numbers[kept[center[kept].argsort(kind='stable')]] = np.arange(
            1, len(kept) + 1)
        return numbers[pieces]
