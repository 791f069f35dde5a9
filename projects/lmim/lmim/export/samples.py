"""Pictures of words by which what was exported is checked."""
from itertools import islice
from pathlib import Path
from typing import List, NamedTuple, Optional, Sequence

import numpy as np

from lmim.rendering import STYLES, RenderedWords, WordRenderer
from lmim.datasets.records import UnreadableRecordError
from lmim.datasets.pictures import Pictures

from .errors import ExportError

#: So many of the given pictures are taken at the most.
MOST = 500


class Samples(NamedTuple):
    """Pictures to read.

    Attributes:
        origin (str): Where they are from.
        names (List[str]): What each is called.
        images (List[np.ndarray]): BGR uint8, each (h, w, 3).
        skipped (List[str]): Those that cannot be read, and why.
    """
    origin: str
    names: List[str]
    images: List[np.ndarray]
    skipped: List[str]

    def first(self, count: int) -> 'Samples':
        """Some of them."""
        return self._replace(names=self.names[:count],
                             images=self.images[:count])


def find_samples(paths: Optional[Sequence[Path]], count: int) -> Samples:
    """Read pictures, or render words where none are given.

    Args:
        paths (Sequence[Path], optional): Images, folders, LMDBs or lists.
        count (int): How many are rendered.

    Returns:
        Samples: At least one picture.

    Raises:
        FileNotFoundError: If paths do not exist.
        ExportError: If none of the pictures can be read.
    """
    if not paths:
        # Plain print, which a recognizer of little training reads, too.
        words = list(RenderedWords(
            count, renderer=WordRenderer(**STYLES['print'])))
        return Samples('words rendered for the check',
                       [f'rendered {word.text!r}' for word in words],
                       [word.image for word in words], [])
    names: List[str] = []
    images: List[np.ndarray] = []
    skipped: List[str] = []
    for picture in islice(Pictures([str(path) for path in paths]), MOST):
        try:
            images.append(picture.load())
            names.append(picture.source)
        except UnreadableRecordError as error:
            skipped.append(f'{picture.source}: {error}')
    if not images:
        reasons = '; '.join(skipped[:3])
        raise ExportError(f'none of the {len(skipped)} samples can be read: '
                          f'{reasons}. Give other pictures: --images')
    more = f' and {len(paths) - 1} more' if len(paths) > 1 else ''
    return Samples(f'{paths[0]}{more}', names, images, skipped)
