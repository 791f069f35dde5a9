"""Pictures of what is learnt, and from what."""
from .curves import draw_curves, read_scalars
from .saving import save_figure
from .view_sheet import draw_view_sheet

__all__ = ['draw_curves', 'draw_view_sheet', 'read_scalars', 'save_figure']
