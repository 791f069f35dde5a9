"""Sets of rendered words, each drawn when it is asked for."""
from typing import (Any, Dict, Iterator, List, Mapping, NamedTuple, Optional,
                    Tuple)

import numpy as np

from lmim.utils.errors import UserError
from .fonts import (BUNDLED, PARTS, Font, FontPool, Places, find_fonts,
                    needs_shaping, split_fonts)
from .renderer import STYLES, RenderedPair, RenderedWord, WordRenderer
from .words import (LOWER_CASE, Lengths, ListedWords, ReadWords, RunWords,
                    SceneWords, Vocabulary, WordGenerator, Words,
                    read_word_list)


#: How words are chosen; see :func:`make_sets`.
MANNERS = ('listed', 'scene', 'runs')


class RenderedWords:
    """Labelled pictures of words.

    Sample ``i`` depends on the seed, the part, the epoch and ``i`` alone: any
    process may draw any sample, in any order, and gets the same bytes.

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
    #: Words of a pair in one style differ in length by no more than this, if
    #: there are such words.
    MOST_GAP = 2

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

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[RenderedWord]:
        return (self[index] for index in range(self.size))

    def __getitem__(self, index: int) -> RenderedWord:
        """Draw a sample of epoch 0."""
        return self.sample(index)

    def __str__(self) -> str:
        part = self.words.part or 'train and test'
        return f'rendered words ({part}, seed {self.seed})'

    def sample(self, index: int, epoch: int = 0) -> RenderedWord:
        """Draw a sample; another epoch has others under the same numbers."""
        rng = self._generator(index, epoch)
        text, font = self._word(rng)
        return self.renderer.render(text, font, rng)

    def text(self, index: int, epoch: int = 0) -> str:
        """What a sample says, without drawing it; arguments as above."""
        return self._word(self._generator(index, epoch))[0]

    def face(self, index: int, epoch: int = 0) -> Font:
        """The font of a sample, without drawing it; arguments as above."""
        return self._word(self._generator(index, epoch))[1]

    def same_text(self, index: int, epoch: int = 0) -> RenderedWord:
        """The text of a sample once more, in another style and any font."""
        text = self.text(index, epoch)
        rng = self._generator(index, epoch, 1)
        font = self.fonts.pick(text, rng)
        assert font is not None  # one has drawn it before
        return self.renderer.render(text, font, rng)

    def same_style(self, index: int, epoch: int = 0,
                   near: bool = False) -> RenderedPair:
        """The text of a sample and another one, in one font and style.

        With ``near`` the other is the same but for one to three characters,
        which are taken from words of this kind.

        All but the place of the letters is as in the sample, whose picture
        may be narrower: see :meth:`.renderer.WordRenderer.compose_pair`.

        Raises:
            UserError: If there is no other word that the font can draw.
        """
        rng = self._generator(index, epoch)
        text, font = self._word(rng)
        find = self._near if near else self._partner
        other = find(text, font, self._generator(index, epoch, 2))
        return self.renderer.compose_pair((text, other), font,
                                          self.renderer.draw_style(rng))

    def _partner(self, text: str, font: Font,
                 rng: np.random.Generator) -> str:
        """Another word that a font can draw, about as long as the text."""
        best: Optional[str] = None
        for _ in range(self.MAX_DRAWS):
            other = self.words.draw(rng)
            if other == text or font not in self.fonts.able(other):
                continue
            if best is None or (abs(len(other) - len(text)) <
                                abs(len(best) - len(text))):
                best = other
            if abs(len(best) - len(text)) <= self.MOST_GAP:
                return best
        if best is None:
            raise UserError(
                f'No {self.words.part or ""} word beside {text!r} was found '
                f'that {font.name} can draw: a pair needs two. Give more '
                'words')
        return best

    def _near(self, text: str, font: Font, rng: np.random.Generator) -> str:
        """The text with one to three characters exchanged."""
        characters = list(text)
        count = rng.integers(1, min(len(text), 3) + 1)
        for place in rng.choice(len(text), count, replace=False):
            for _ in range(self.MAX_DRAWS):
                other = rng.choice(list(self.words.draw(rng)))
                if other != text[place] and font in self.fonts.able(other):
                    characters[place] = other
                    break
            else:
                raise UserError(
                    f'No character to take the place of {text[place]!r} was '
                    f'found that {font.name} can draw: give more words')
        return ''.join(characters)

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
        raise UserError(
            f'No {self.words.part or ""} word was found that one font can '
            f'draw as a whole; {len(missing)} character(s) are in none of '
            f'the {len(self.fonts)} fonts: {missing[:40]!r}. Name more '
            'places with fonts, or leave characters out')


class RenderedSets(NamedTuple):
    """Sets, and what is not in them."""
    parts: Dict[Optional[str], RenderedWords]
    left_out: List[str]  # words and characters not drawn, each with why


def make_sets(sizes: Mapping[Optional[str], int],
              seed: int = 0,
              alphabet: Optional[str] = None,
              words: Optional[str] = None,
              manner: str = 'listed',
              lengths: Optional[Lengths] = None,
              fonts: Places = BUNDLED,
              same_fonts: bool = False,
              style: str = 'varied',
              difficulty: Optional[float] = None,
              style_options: Optional[Dict[str, Any]] = None,
              read_words: ReadWords = read_word_list) -> RenderedSets:
    """Make sets of rendered words; nothing is drawn yet.

    Either ``alphabet`` or ``words`` says where words come from.

    Args:
        sizes (Mapping[str, int]): For each part ('train', 'test', or None
            for all words and fonts) how many samples it has.
        seed (int): The seed, 0 or more.
        alphabet (str, optional): Characters that words are made of. Defaults
            to lower-case letters.
        words (str, optional): Words to draw, each as often as it comes: a
            path that ``read_words`` reads.
        manner (str): 'listed' draws words as they are listed, 'scene' as
            signs show them, among numbers and made-up words; see
            :class:`.words.SceneWords`. 'runs' is for an alphabet: half of the
            words repeat characters; see :class:`.words.RunWords`.
        lengths (tuple[int, int], optional): Least and greatest number of
            characters. Defaults to 3 and 6 for an alphabet, else 1 and 25.
        fonts (str or Sequence[str]): Where fonts are; see
            :func:`.fonts.find_fonts`.
        same_fonts (bool): Whether training and test share all fonts.
        style (str): One of :data:`.renderer.STYLES`.
        difficulty (float, optional): Strength of all effects.
        style_options (dict, optional): Further settings of
            :class:`.renderer.WordRenderer`.
        read_words (Callable): Gives the words of a path, and how often each
            comes. Defaults to :func:`.words.read_word_list`.

    Raises:
        OSError: If a file or folder is missing.
        UserError: If a setting makes no sense, or words, characters or
            fonts do not go together; the message says what to do.
    """
    if style not in STYLES:
        raise UserError(f'style is one of {", ".join(sorted(STYLES))}, not '
                        f'{style!r}')
    settings = {**STYLES[style], **(style_options or {})}
    if difficulty is not None:
        settings['difficulty'] = difficulty
    renderer = WordRenderer(**settings)
    if alphabet is not None and words is not None:
        raise UserError('Words come from one place, not from alphabet and '
                        'words. Leave out one')
    if manner not in MANNERS:
        raise UserError(f'manner is one of {", ".join(MANNERS)}, not '
                        f'{manner!r}')
    if manner == 'scene' and words is None:
        raise UserError("The manner 'scene' is for listed words: give words")
    if manner == 'runs' and words is not None:
        raise UserError("The manner 'runs' is for words of an alphabet: leave "
                        'out words')
    left_out: List[str] = []
    if words is None:
        chars = alphabet or LOWER_CASE
        _refuse_undrawable(chars, fonts)
        made_up = RunWords if manner == 'runs' else WordGenerator
        makers: Dict[Optional[str], Words] = {
            part: made_up(part, chars, lengths or (3, 6))
            for part in sizes
        }
    else:
        lengths = lengths or (1, 25)
        vocabulary = Vocabulary(read_words(str(words)), str(words), lengths)
        left_out += vocabulary.left_out
        kind = SceneWords if manner == 'scene' else ListedWords
        makers = {part: kind(vocabulary, part, lengths) for part in sizes}
        chars = next(iter(makers.values())).characters
    found = find_fonts(chars, fonts)
    split = {} if same_fonts or None in sizes else split_fonts(found)
    parts = {}
    for part, size in sizes.items():
        pool = FontPool(split.get(part or '', found), chars)
        if pool.missing:
            left_out.append(f'{_name(pool.missing)} left out of the '
                            f'{part or "whole"} set: none of its {len(pool)} '
                            'font(s) has them')
        parts[part] = RenderedWords(size, makers[part], pool, renderer, seed)
    return RenderedSets(parts, left_out)


def _refuse_undrawable(alphabet: str, fonts: Places) -> None:
    """Refuse an alphabet of which some characters cannot be drawn."""
    refused = needs_shaping(alphabet)
    reason = 'they run from right to left, need shaping or have no shape'
    if alphabet and not refused:
        refused = FontPool(find_fonts(alphabet, fonts), alphabet).missing
        reason = 'no font has them'
    if refused:
        raise UserError(
            f'{_name(refused)} of the alphabet cannot be drawn: {reason}. '
            'Leave them out, or name more places with fonts')


def _name(characters: str) -> str:
    """How many characters, and the first twenty."""
    more = len(characters) - 20
    return (f'{len(characters)} character(s) {characters[:20]!r}'
            + (f' and {more} more' if more > 0 else ''))
