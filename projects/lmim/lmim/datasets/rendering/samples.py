"""A set of rendered words, each made when it is asked for."""
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from .fonts import PARTS, Font, find_fonts, split_fonts
from .renderer import WordRenderer
from .words import LOWER_CASE, WordGenerator


class RenderedWord(NamedTuple):
    """One labelled picture.

    Args:
        image (np.ndarray): BGR uint8 of shape (H, W, 3).
        text (str): What it says.
        font (str): Name of the face.
    """
    image: np.ndarray
    text: str
    font: str


class RenderedWords:
    """Labelled pictures of made-up words.

    Sample ``i`` hangs on the seed, the part and ``i`` alone: any process
    may make any sample, in any order, and gets the same bytes.

    Args:
        size (int): Number of samples.
        part (str): 'train' or 'test'. Words of the test part never come in
            training, nor do its fonts if ``fonts`` is left out.
        seed (int): The seed, 0 or more.
        alphabet (str): The characters that words are made of.
        lengths (tuple[int, int]): Least and greatest length of a word.
        fonts (Sequence[Font], optional): Faces to use. Defaults to those of
            the part among the ones that matplotlib brings.
        renderer (WordRenderer, optional): How to draw. Defaults to
            ``WordRenderer()``.
    """

    def __init__(self,
                 size: int,
                 part: str = 'train',
                 seed: int = 0,
                 alphabet: str = LOWER_CASE,
                 lengths: Tuple[int, int] = (3, 6),
                 fonts: Optional[Sequence[Font]] = None,
                 renderer: Optional[WordRenderer] = None) -> None:
        self.size = size
        self.seed = seed
        self.words = WordGenerator(part, alphabet, lengths)
        if fonts is None:
            fonts = split_fonts(find_fonts(alphabet))[part]
        self.fonts: List[Font] = list(fonts)
        self.renderer = renderer or WordRenderer()

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[RenderedWord]:
        return (self[index] for index in range(self.size))

    def __getitem__(self, index: int) -> RenderedWord:
        """Make one sample.

        Args:
            index (int): Its number, from 0.

        Returns:
            RenderedWord: The picture, its text and the name of its face.
        """
        if not 0 <= index < self.size:
            raise IndexError(f'Sample {index} of {self.size}')
        part = PARTS.index(self.words.part)
        rng = np.random.default_rng([self.seed, part, index])
        text = self.words.draw(rng)
        font = self.fonts[int(rng.integers(len(self.fonts)))]
        image = self.renderer.render(text, font, rng)
        return RenderedWord(image, text, font.name)
