"""Pictures of attention."""
from typing import Any, List, Mapping, Optional, Sequence, Tuple

import cv2
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import nn

from lmim.models.backbones import TextViT
from lmim.utils.errors import UserError
from .attention import encoder_attention, overlay_attention
from .pictures import Picture
from .sheet import (Row, contact_sheet, draw_caption, draw_sheet, enlarge,
                    frame_cells)

#: Of the patch that asks, BGR.
QUERY = (255, 40, 0)
ZOOM = 2
NOTE = ('Attention of block {} of {} of the encoder, {}. [CLS]: which patches '
        'the token takes from that stands for the whole picture. Patch: which '
        'patches the one in the blue frame takes from. Orange is much, grey '
        'is little; each map is scaled to its own largest value, and what '
        'goes to [CLS] is left out.')

CHARACTERS = ('Where the decoder looks as it writes each character (last '
              'block, mean of its heads): orange is much, each map scaled to '
              'its own largest value.')


def default_queries(grid: Tuple[int, int]) -> List[Tuple[int, int]]:
    """Four patches in the middle row, from left to right."""
    return [(grid[0] // 2, grid[1] * part // 8) for part in (1, 3, 5, 7)]


def draw_attention_sheet(
        pictures: Sequence[Picture],
        encoders: Mapping[str, TextViT],
        queries: Optional[Sequence[Tuple[int, int]]] = None,
        block: int = -1,
        head: Optional[int] = None) -> Figure:
    """Draw what [CLS] and some patches look at, as the paper's Figure 3.

    Args:
        pictures (Sequence[Picture]): The pictures.
        encoders (Mapping[str, TextViT]): Encoders by the names to show, in
            eval mode. The maps of several are below one another.
        queries (Sequence[Tuple[int, int]], optional): Rows and columns of
            patches of the first encoder's grid. Where another has another
            grid, the patch at the same place is taken. Defaults to
            :func:`default_queries`.
        block (int): Number of the block; -1 is the last.
        head (int, optional): Of which head; the mean of all where it is None.

    Returns:
        Figure: A row for each picture and encoder.

    Raises:
        UserError: If there is no such block, head or patch.
    """
    first = next(iter(encoders.values()))
    asked = default_queries(first.grid) if queries is None else queries
    for at, column in asked:
        if not (0 <= at < first.grid[0] and 0 <= column < first.grid[1]):
            raise UserError(
                f'there is no patch in row {at}, column {column}: the grid '
                f'has rows 0 to {first.grid[0] - 1} and columns 0 to '
                f'{first.grid[1] - 1}')
    shown = {name: _maps(pictures, encoder, block, head)
             for name, encoder in encoders.items()}
    rows = []
    for number, picture in enumerate(pictures):
        for name, encoder in encoders.items():
            size, grid = tuple(encoder.img_size), encoder.grid
            image = enlarge(picture.resized(size), ZOOM)
            maps = shown[name][number]
            row = [image, overlay_attention(image, maps[0].reshape(grid))]
            for query in asked:
                here = _same_place(query, first.grid, grid)
                cell = np.zeros(grid, bool)
                cell[here] = True
                weights = maps[1 + here[0] * grid[1] + here[1]].reshape(grid)
                row.append(frame_cells(
                    overlay_attention(image, weights), cell, QUERY))
            rows.append(Row(row, f'{name}   {picture.name}'))
    titles = ['image', '[CLS]'] + [f'patch ({at}, {column})'
                                   for at, column in asked]
    which = 'mean of its heads' if head is None else f'head {head}'
    count = len(first.layers)
    return draw_sheet(rows, titles, NOTE.format(
        block % count + 1, count, which), width=ZOOM * first.img_size[1])


def draw_character_sheet(pictures: Sequence[Picture], words: Sequence[str],
                         maps: Sequence[np.ndarray],
                         columns: int = 7) -> np.ndarray:
    """Draw where a recognizer looks as it writes each character.

    Args:
        pictures (Sequence[Picture]): N pictures.
        words (Sequence[str]): What was read in each.
        maps (Sequence[np.ndarray]): For each, (characters, rows, columns).
        columns (int): Pictures side by side.

    Returns:
        np.ndarray: (H, W, 3) uint8, BGR. A word begins a new line, with its
        picture first.
    """
    blank = np.full((1, 1, 3), 255, np.uint8)
    tiles: List[Tuple[np.ndarray, str]] = []
    for picture, word, weights in zip(pictures, words, maps):
        image = cv2.resize(picture.image, (256, 64))
        tiles.append((image, f'read: {word}'))
        tiles += [(overlay_attention(image, each), character)
                  for character, each in zip(word, weights)]
        tiles += [(blank, '')] * (-len(tiles) % columns)
    sheet = contact_sheet(tiles, columns, cell=(64, 256))
    footer = np.full((24, sheet.shape[1], 3), 255, np.uint8)
    draw_caption(footer, CHARACTERS, (2, 17), sheet.shape[1] - 4)
    return np.concatenate([sheet, footer])


def normalise(images: Sequence[np.ndarray], device: Any) -> torch.Tensor:
    """Pictures (H, W, 3) uint8, BGR, as all our encoders take them.

    That is (N, 3, H, W), RGB, from -1 to 1: mean and deviation are 127.5.
    """
    batch = np.stack(images)[..., ::-1].transpose(0, 3, 1, 2).copy()
    return torch.from_numpy(batch).to(device).float() / 127.5 - 1


def _maps(pictures: Sequence[Picture], encoder: TextViT, block: int,
          head: Optional[int]) -> np.ndarray:
    """Maps of [CLS] and all patches, (N, 1 + L, L)."""
    size = (encoder.img_size[0], encoder.img_size[1])
    weights = encoder_attention(
        encoder, normalise([each.resized(size) for each in pictures],
                           _device(encoder)), block)
    heads = weights.shape[1]
    if head is not None and not 0 <= head < heads:
        raise UserError(f'there is no head {head}: the encoder has {heads}, '
                        f'0 to {heads - 1}')
    chosen = weights.mean(dim=1) if head is None else weights[:, head]
    return chosen[:, :, 1:].cpu().numpy()


def _device(module: nn.Module) -> torch.device:
    return next(module.parameters()).device


def _same_place(query: Tuple[int, int], grid: Tuple[int, int],
                other: Tuple[int, int]) -> Tuple[int, int]:
    """The patch of another grid at the middle of a patch."""
    row, column = [int((at + 0.5) * new / old)
                   for at, old, new in zip(query, grid, other)]
    return row, column
