"""Pictures of what is learnt, and from what."""
from .attention import (character_attention, encoder_attention,
                        overlay_attention)
from .curves import draw_curves, draw_scalars, read_scalars
from .saving import figure_pixels, save_figure
from .view_sheet import draw_view_sheet

__all__ = [
    'character_attention', 'draw_curves', 'draw_scalars', 'draw_view_sheet',
    'encoder_attention', 'figure_pixels', 'overlay_attention', 'read_scalars',
    'save_figure'
]
