"""A set of rendered words, each made when it is asked for."""
from typing import Iterator, List, NamedTuple, Optional, Tuple

import cv2
import numpy as np

from lmim.datasets.records import RecordSource
from .font_pool import FontPool
from .font_search import PARTS, find_fonts, split_fonts
from .fonts import Font
from .made_up_words import WordGenerator
from .renderer import Rendering, WordRenderer
from .words import Words


class RenderedWord(NamedTuple):
    """One labelled picture.

    Args:
        text (str): What it says.
        face (Font): Its face.
        rendering (Rendering): The picture, where its letters are, its style.
    """
    text: str
    face: Font
    rendering: Rendering

    @property
    def image(self) -> np.ndarray:
        """np.ndarray: BGR uint8 of shape (H, W, 3)."""
        return self.rendering.image

    @property
    def mask(self) -> np.ndarray:
        """np.ndarray: The letters; see :class:`.renderer.Rendering`."""
        return self.rendering.mask

    @property
    def boxes(self) -> np.ndarray:
        """np.ndarray: One for each character; see the same."""
        return self.rendering.boxes

    @property
    def font(self) -> str:
        """str: Name of the face."""
        return self.face.name


class RenderedWords(RecordSource):
    """Labelled pictures of words.

    Sample ``i`` hangs on the seed, the part, the epoch and ``i`` alone: any
    process may make any sample, in any order, and gets the same bytes. As a
    source of records, it gives those of epoch 0, as JPEG files.

    Args:
        size (int): Number of samples.
        words (Words, optional): Where words come from. Defaults to made-up
            words of the training part in lower case.
        fonts (FontPool, optional): Faces to use. Defaults to those of the
            words' part among the ones that matplotlib brings.
        renderer (WordRenderer, optional): How to draw. Defaults to
            ``WordRenderer()``.
        seed (int): The seed, 0 or more.
    """

    # Where fonts lack characters, so many words are drawn until there is one
    # that a font has.
    MAX_DRAWS = 1000

    layout = 'rendered words'
    labelled = True

    def __init__(self,
                 size: int,
                 words: Optional[Words] = None,
                 fonts: Optional[FontPool] = None,
                 renderer: Optional[WordRenderer] = None,
                 seed: int = 0) -> None:
        self.size = size
        self.seed = seed
        self.words = words or WordGenerator()
        if fonts is None:
            characters = self.words.characters
            found = find_fonts(characters)
            if self.words.part is not None:
                found = split_fonts(found)[self.words.part]
            fonts = FontPool(found, characters)
        self.fonts = fonts
        self.renderer = renderer or WordRenderer()
        part = self.words.part or 'train and test'
        self.path = f'rendered words ({part}, seed {seed})'

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[RenderedWord]:
        return (self[index] for index in range(self.size))

    def __getitem__(self, index: int) -> RenderedWord:
        """Make one sample.

        Args:
            index (int): Its number, from 0.
        """
        return self.sample(index)

    def sample(self, index: int, epoch: int = 0) -> RenderedWord:
        """Make one sample.

        Args:
            index (int): Its number, from 0.
            epoch (int): Another epoch has other samples under the same
                numbers. Defaults to 0.
        """
        rng = self._generator(index, epoch)
        text, font = self._word(rng)
        return RenderedWord(text, font, self.renderer.render(text, font, rng))

    def text(self, index: int, epoch: int = 0) -> str:
        """What a sample says, without drawing it; arguments as above."""
        return self._word(self._generator(index, epoch))[0]

    def same_text(self, index: int, epoch: int = 0) -> RenderedWord:
        """The text of a sample once more, in another style and any font."""
        text = self.text(index, epoch)
        rng = self._generator(index, epoch, 1)
        font = self.fonts.pick(text, rng)
        assert font is not None  # one has drawn it before
        return RenderedWord(text, font, self.renderer.render(text, font, rng))

    def same_style(self, index: int, epoch: int = 0) -> RenderedWord:
        """Another text in the style and the font of a sample."""
        first = self.sample(index, epoch)
        rng = self._generator(index, epoch, 2)
        for _ in range(self.MAX_DRAWS):
            text = self.words.draw(rng)
            if text != first.text and self.fonts.has(first.face, text):
                return RenderedWord(
                    text, first.face,
                    self.renderer.compose(text, first.face,
                                          first.rendering.style))
        raise ValueError(
            f'No other word than {first.text!r} was found that the font '
            f'{first.font} can draw: allow more words')

    def read(self, index: int) -> bytes:
        """A sample's picture as a JPEG file."""
        # OpenCV's JPEG quality is 95 unless told.
        return cv2.imencode('.jpg', self[index].image)[1].tobytes()

    def label(self, index: int) -> Optional[str]:
        """A sample's text."""
        return self.text(index)

    def name(self, index: int) -> str:
        """Name of a sample by which a person finds it."""
        return f'{self.path} {index}'

    def _generator(self, index: int, epoch: int = 0,
                   stream: int = 0) -> np.random.Generator:
        """The source of chance of a sample."""
        if not 0 <= index < self.size:
            raise IndexError(f'Sample {index} of {self.size}')
        part = (len(PARTS) if self.words.part is None else
                PARTS.index(self.words.part))
        entropy: List[int] = [self.seed, part, index]
        if epoch or stream:
            entropy += [epoch, stream]
        return np.random.default_rng(entropy)

    def _word(self, rng: np.random.Generator) -> Tuple[str, Font]:
        """A word, and a font that has all of its characters."""
        for _ in range(self.MAX_DRAWS):
            text = self.words.draw(rng)
            font = self.fonts.pick(text, rng)
            if font is not None:
                return text, font
        missing = self.fonts.missing
        raise ValueError(
            f'No {self.words.part or ""} word was found that one font can '
            f'draw as a whole; {len(missing)} character(s) are in none of '
            f'the {len(self.fonts)} fonts: {missing[:40]!r}. Name more '
            'places with fonts, or leave characters out')
