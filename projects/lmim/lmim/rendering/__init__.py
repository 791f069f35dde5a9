"""Word images drawn with fonts, by chance and yet the same for a seed."""
from .contact_sheet import contact_sheet
from .font_pool import FontPool
from .font_search import FONT_SUFFIXES, PARTS, find_fonts, split_fonts
from .fonts import Font, missing_characters
from .listed_words import ImitatedWords, ListedWords
from .made_up_words import LOWER_CASE, WordGenerator
from .ranges import StyleRanges
from .renderer import STYLES, Rendering, WordRenderer
from .samples import RenderedWord, RenderedWords
from .scripts import needs_shaping
from .sets import RenderedSets, make_sets
from .style import Style
from .vocabulary import Vocabulary, read_vocabulary
from .words import Words, part_of_word

__all__ = [
    'FONT_SUFFIXES', 'Font', 'FontPool', 'ImitatedWords', 'LOWER_CASE',
    'ListedWords', 'PARTS', 'RenderedSets', 'RenderedWord', 'RenderedWords',
    'Rendering', 'STYLES', 'Style', 'StyleRanges', 'Vocabulary',
    'WordGenerator', 'WordRenderer', 'Words', 'contact_sheet', 'find_fonts',
    'make_sets', 'missing_characters', 'needs_shaping', 'part_of_word',
    'read_vocabulary', 'split_fonts'
]
