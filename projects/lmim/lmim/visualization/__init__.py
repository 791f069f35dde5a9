"""Pictures of what is learnt, and from what."""
from .attention import (character_attention, encoder_attention,
                        overlay_attention)
from .pretraining_sheets import draw_view_sheet
from .sheet import contact_sheet, save_picture

__all__ = [
    'character_attention', 'contact_sheet', 'draw_view_sheet',
    'encoder_attention', 'overlay_attention', 'save_picture'
]
