"""Masks that depend on a picture, by the draws in the file."""
from typing import Any, Iterator

import torch

from lmim.models.layers import (CharacterSpanMasking, DSHMMasking, InkMasking,
                                masking_from_noise)
from lmim.models.layers.content_masking import ink_map

from .common import Check, Reference, checks


@checks('masks', 'grid', 'ink.map', 'span.cell', 'dshm.features',
      left=('attmask.', 'hpm.'))
def check_masks(ref: Reference) -> Iterator[Check]:
    """Run the masks by ink, of characters' spans and of DSHM."""
    images = ref.tensor('images_uint8').double() / 255
    grid = tuple(ref['grid'].tolist())
    ratio = round(float(ref['ratio']), 6)  # of float32
    total = grid[0] * grid[1]

    def draws(*names: str) -> torch.Tensor:
        return torch.cat([ref.tensor(name).reshape(len(images), -1)
                          for name in names], dim=1)

    def masks(generator: Any, group: str, drawn: torch.Tensor,
              **context: torch.Tensor) -> Iterator[Check]:
        yield ref.compare(f'{group}.hard', generator.hard_patches(
            drawn[:, total:], grid, context), 0.)
        yield ref.compare(f'{group}.noise', generator.place_noise(
            drawn, grid, context))
        yield ref.compare(f'{group}.mask', generator(
            len(images), grid, images.device, drawn, context).mask, 0.)

    share, rows, columns, strength = ref[
        'ink.args_share_block_strength'].tolist()
    ink = InkMasking(ratio, share, (int(rows), int(columns)), strength)
    yield ref.compare('ink.map', ink_map(images, grid))
    yield ref.compare('ink.key', ink.block_keys(draws('ink.gumbel_u'), images,
                                                grid))
    yield from masks(ink, 'ink', draws('ink.v', 'ink.gumbel_u'),
                     images=images)

    share, width, char_aspect, low, high = ref[
        'span.args_share_width_char_min_max'].tolist()
    span = CharacterSpanMasking(ratio, share, width, char_aspect, (low, high))
    aspect = ref.tensor('span.aspect')
    yield ref.compare('span.pitch', span.pitch(aspect, grid[1]))
    yield ref.compare('span.cell', span.cells(ref.tensor('span.phase'), aspect,
                                              grid[1]), 0.)
    yield from masks(span, 'span', draws('span.v', 'span.phase',
                                         'span.draws'), aspect=aspect)

    dshm = DSHMMasking(ratio, block=int(ref['dshm.block']))
    features = ref.tensor('dshm.features').double()
    text = ref.tensor('dshm.text')
    score = dshm.score(features, text, grid)
    for name, value in (('ald', dshm.local_score(features, grid)),
                        ('style', dshm.style_score(features, text)),
                        ('score', score)):
        yield ref.compare(f'dshm.{name}', value, scaled=True)
    # Here the smallest draws are hidden, and what is hidden is rounded down,
    # not what is kept.
    noise = dshm.grow(score, grid) + 1 - draws('dshm.v')
    yield ref.compare('dshm.mask', masking_from_noise(
        noise, total - int(ratio * total + 1e-6)).mask, 0.)
