"""Word images drawn with fonts: for trials, tests and the quick start."""
from .contact_sheet import contact_sheet
from .fonts import (FONT_SUFFIXES, PARTS, Font, find_fonts,
                    missing_characters, split_fonts)
from .renderer import STYLES, WordRenderer
from .samples import RenderedWord, RenderedWords
from .style import Style
from .words import LOWER_CASE, WordGenerator, part_of_word

__all__ = [
    'FONT_SUFFIXES', 'Font', 'LOWER_CASE', 'PARTS', 'RenderedWord',
    'RenderedWords', 'STYLES', 'Style', 'WordGenerator', 'WordRenderer',
    'contact_sheet', 'find_fonts', 'missing_characters', 'part_of_word',
    'split_fonts'
]
