"""What a batch of pre-training looks like."""
from typing import Any

from matplotlib.figure import Figure
from torch import nn

from .patches import grey_out
from .reconstruction import Reconstruction
from .sheet import Row, draw_sheet

NOTE = ('image: as the masked branch takes it, after all transforms of the '
        'pipeline. masked: grey patches are hidden from the encoder. {}This '
        'is what training sees: text must be whole and readable in all but '
        'the masked column.')
GUIDANCE = ('guidance view: what the guidance branch sees; training draws it '
            'anew each epoch. ')


def draw_batch_sheet(model: nn.Module, found: Reconstruction,
                     count: int) -> Figure:
    """Draw the first pictures of a batch as both branches see them.

    Args:
        model (nn.Module): The :class:`~lmim.models.selfsup.MIM`.
        found (Reconstruction): Of the batch.
        count (int): How many of its pictures.

    Returns:
        Figure: A row for each picture.
    """
    mim: Any = model
    hidden = found.hidden(mim.backbone.grid)
    titles = ['image', f'masked: {hidden.mean():.0%} hidden']
    guided = found.guidance is not None
    if guided:
        titles.append('guidance view')
    rows = []
    for number in range(min(count, len(hidden))):
        image = found.images[number]
        row = [image, grey_out(image, hidden[number])]
        if found.guidance is not None:
            row.append(found.guidance[number])
        rows.append(Row(row))
    return draw_sheet(rows, titles, NOTE.format(GUIDANCE if guided else ''))
