"""Word images drawn with fonts, by chance and yet the same for a seed."""
from .fonts import (FONT_SUFFIXES, PARTS, Font, FontPool, find_fonts,
                    missing_characters, needs_shaping, split_fonts)
from .plain_glyphs import PlainGlyphs
from .renderer import STYLES, RenderedPair, RenderedWord, WordRenderer
from .samples import MANNERS, RenderedSets, RenderedWords, make_sets
from .style import Style, StyleRanges
from .words import (LOWER_CASE, ListedWords, RunWords, SceneWords,
                    Vocabulary, WordGenerator, Words, part_of_word,
                    read_word_list)

__all__ = [
    'FONT_SUFFIXES', 'Font', 'FontPool', 'LOWER_CASE', 'ListedWords',
    'MANNERS', 'PARTS', 'PlainGlyphs', 'RenderedPair', 'RenderedSets',
    'RenderedWord', 'RenderedWords', 'RunWords', 'STYLES', 'SceneWords',
    'Style', 'StyleRanges', 'Vocabulary', 'WordGenerator', 'WordRenderer',
    'Words', 'find_fonts', 'make_sets', 'missing_characters', 'needs_shaping',
    'part_of_word', 'read_word_list', 'split_fonts'
]
