"""Sets of rendered words from what a user asks for."""
import unicodedata
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from .font_pool import FontPool
from .font_search import BUNDLED, Places, find_fonts, split_fonts
from .listed_words import ImitatedWords, ListedWords
from .made_up_words import LOWER_CASE, WordGenerator
from .renderer import STYLES, WordRenderer
from .samples import RenderedWords
from .scripts import needs_shaping
from .vocabulary import read_vocabulary
from .words import Words

#: So many characters are shown in a message.
SHOWN = 20


class RenderedSets(NamedTuple):
    """Sets, and what is not in them.

    Args:
        parts (dict): For each part its set.
        left_out (list[str]): Words and characters that are not drawn, with
            the reason, in words.
    """
    parts: Dict[Optional[str], RenderedWords]
    left_out: List[str]


def make_sets(sizes: Mapping[Optional[str], int],
              seed: int = 0,
              alphabet: Optional[str] = None,
              alphabet_file: Optional[str] = None,
              words: Optional[str] = None,
              statistics: Optional[str] = None,
              lengths: Optional[Tuple[int, int]] = None,
              kind: str = 'syllables',
              order: int = 2,
              fonts: Places = BUNDLED,
              same_fonts: bool = False,
              style: str = 'varied',
              difficulty: Optional[float] = None,
              style_options: Optional[Dict[str, Any]] = None) -> RenderedSets:
    """Make sets of rendered words; nothing is drawn yet.

    Of the first four one says where words come from.

    Args:
        sizes (Mapping[str, int]): For each part ('train', 'test', or None
            for all words and fonts) how many samples it has.
        seed (int): The seed, 0 or more.
        alphabet (str, optional): Characters that words are made of. Defaults
            to lower-case letters.
        alphabet_file (str, optional): A text file that holds them, such as a
            dictionary of MMOCR. Those that cannot be drawn are left out.
        words (str, optional): Words to draw, each as often as it comes: a
            text file with one word (or ``word<TAB>count``) a line, or the
            labels of any set that can be read.
        statistics (str, optional): The same, for words made up after its
            statistics.
        lengths (tuple[int, int], optional): Least and greatest number of
            characters. Defaults to 3 and 6 for an alphabet, else 1 and 25.
        kind (str): Of an alphabet's words, 'syllables' or 'random'.
        order (int): How many characters the statistics look back at.
        fonts (str or Sequence[str]): Where fonts are; see
            :func:`.font_search.find_fonts`.
        same_fonts (bool): Whether training and test share all fonts.
        style (str): One of :data:`.renderer.STYLES`.
        difficulty (float, optional): Strength of all effects.
        style_options (dict, optional): Further settings of
            :class:`.renderer.WordRenderer`.

    Raises:
        OSError: If a file or folder is missing.
        ValueError: If a setting makes no sense, or words, characters or
            fonts do not go together; the message says what to do.
    """
    renderer = _renderer(style, difficulty, style_options)
    given = {name: value for name, value in dict(
        alphabet=alphabet, alphabet_file=alphabet_file, words=words,
        statistics=statistics).items() if value is not None}
    if len(given) > 1:
        raise ValueError('Words come from one place, not from '
                         f'{" and ".join(given)}. Leave out all but one')
    left_out: List[str] = []
    if words is None and statistics is None:
        chars = _alphabet(alphabet, alphabet_file, fonts, left_out)
        makers: Dict[Optional[str], Words] = {
            part: WordGenerator(part, chars, lengths or (3, 6), kind)
            for part in sizes
        }
    else:
        lengths = lengths or (1, 25)
        vocabulary = read_vocabulary(str(words or statistics), lengths)
        left_out += map(str, vocabulary.left_out)
        chars = vocabulary.characters
        makers = {
            part: (ListedWords(vocabulary, part, lengths) if words else
                   ImitatedWords(vocabulary, part, lengths, order))
            for part in sizes
        }
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


def _renderer(style: str, difficulty: Optional[float],
              options: Optional[Dict[str, Any]]) -> WordRenderer:
    if style not in STYLES:
        raise ValueError(f'style is one of {", ".join(sorted(STYLES))}, not '
                         f'{style!r}')
    settings = {**STYLES[style], **(options or {})}
    if difficulty is not None:
        settings['difficulty'] = difficulty
    return WordRenderer(**settings)


def _alphabet(alphabet: Optional[str], path: Optional[str], fonts: Places,
              left_out: List[str]) -> str:
    """The characters of an alphabet that can be drawn.

    Of a file, which may be a dictionary of thousands, those that cannot are
    left out; that one was typed which cannot be drawn is a mistake.
    """
    text = alphabet or LOWER_CASE
    if path is not None:
        with open(path, encoding='utf-8-sig') as file:
            text = ''.join(unicodedata.normalize('NFC', file.read()).split())
    reasons = {
        'they run from right to left, need shaping or have no shape':
        needs_shaping(text),
    }
    text = ''.join(char for char in dict.fromkeys(text)
                   if char not in set(needs_shaping(text)))
    if text:
        none = FontPool(find_fonts(text, fonts), text).missing
        reasons['no font has them'] = none
        text = ''.join(char for char in text if char not in set(none))
    for reason, characters in reasons.items():
        if characters and path is None:
            raise ValueError(
                f'{_name(characters)} of the alphabet cannot be drawn: '
                f'{reason}. Leave them out, or name more places with fonts')
        if characters:
            left_out.append(f'{_name(characters)} of {path} left out: '
                            f'{reason}')
    return text


def _name(characters: str) -> str:
    """Characters as a person is told of them."""
    shown = repr(characters[:SHOWN])
    if len(characters) > SHOWN:
        shown += f' and {len(characters) - SHOWN} more'
    return f'{len(characters)} character(s) {shown}'
