"""Small pictures in rows and columns, with words that explain them."""
import io
import textwrap
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import (Any, Iterable, List, NamedTuple, Optional, Sequence, Tuple,
                    Union)

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

from lmim.rendering.fonts import BUNDLED_FOLDER, font_file_with
from lmim.utils.atomic import write_atomic
from lmim.utils.errors import UserError

#: Of our figures, in pixels to the inch.
DPI = 120
#: What a file of a figure may end in.
SUFFIXES = ('.png', '.pdf', '.svg')
#: Of captions in contact sheets, in pixels.
CAPTION_SIZE, CAPTION_HEIGHT = 12, 16
#: No caption shows more characters.
LONGEST = 200

#: In pixels: gap between two pictures, a line of text, one of its letters.
GAP, LINE, LETTER = 7, 20, 7.0
SIZE = 8  # of letters, in points


class Row(NamedTuple):
    """A row of a sheet.

    Attributes:
        pictures (Sequence[np.ndarray]): Each (H, W, 3) uint8, BGR; in all
            rows as many as there are columns, or fewer.
        title (str): A line above them.
    """
    pictures: Sequence[np.ndarray]
    title: str = ''


def draw_sheet(rows: Sequence[Row],
               titles: Sequence[str],
               note: str = '',
               width: int = 256) -> Figure:
    """Lay pictures out, without axes, which would take most of the time.

    Args:
        rows (Sequence[Row]): Pictures of a row are as high as its first one.
        titles (Sequence[str]): Of the columns.
        note (str): What is to be seen, in words, below.
        width (int): Of a picture, in pixels.

    Returns:
        Figure: The sheet; ``figure.images`` are the pictures in the order of
        rows, then columns, RGB.

    Raises:
        UserError: If there is no row.
    """
    if not rows:
        raise UserError('a sheet needs one picture at least')
    whole = len(titles) * (width + GAP) + GAP
    heads = [wrap(title, width) for title in titles]
    notes = [line for part in note.split('\n') for line in wrap(part, whole)]
    heights = [width * row.pictures[0].shape[0] // row.pictures[0].shape[1]
               for row in rows]
    above = [LINE if row.title else 0 for row in rows]
    top = 2 * GAP + LINE * max(map(len, heads))
    height = (top + sum(heights) + GAP * (len(rows) + 2) + sum(above) +
              LINE * len(notes))
    figure = Figure(figsize=(whole / DPI, height / DPI), dpi=DPI)

    def write(x: float, y: float, text: str, **options: Any) -> None:
        figure.text(x / whole, 1 - y / height, text, fontsize=SIZE,
                    parse_math=False, va='baseline', **options)

    for column, lines in enumerate(heads):
        for number, line in enumerate(reversed(lines)):
            write(GAP + column * (width + GAP) + width / 2,
                  top - GAP - LINE * number, line, ha='center')
    for row, title, tall in zip(rows, above, heights):
        top += title
        if title:
            write(GAP, top - GAP, _end(row.title, whole), color='0.3')
        for column, picture in enumerate(row.pictures):
            figure.figimage(
                _fitted(picture, (width, tall))[..., ::-1],
                GAP + column * (width + GAP), height - top - tall)
        top += tall + GAP
    for number, line in enumerate(notes, 1):
        write(GAP, top + LINE * number, line)
    return figure


def _fitted(picture: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """A picture in (width, height); whole multiples keep their pixels."""
    whole = not any(new % old for new, old in zip(size, picture.shape[1::-1]))
    return cv2.resize(
        picture, tuple(size),
        interpolation=cv2.INTER_NEAREST if whole else cv2.INTER_AREA)


def _end(text: str, width: float) -> str:
    """The end of a text, which tells more than its beginning."""
    most = max(8, int(width / LETTER))
    return text if len(text) <= most else '...' + text[3 - most:]


def wrap(text: str, width: float) -> List[str]:
    """Lines of a text for so many pixels, at least one."""
    return textwrap.wrap(text, max(8, int(width / LETTER))) or ['']


def enlarge(picture: np.ndarray, factor: int) -> np.ndarray:
    """Repeat the pixels of a picture (H, W, 3)."""
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def frame_cells(picture: np.ndarray, cells: np.ndarray,
                color: Optional[Sequence[int]] = None) -> np.ndarray:
    """Draw a thin frame round some cells of a grid.

    Args:
        picture (np.ndarray): (H, W, 3) uint8; H and W are multiples of the
            grid's rows and columns.
        cells (np.ndarray): Which, bool, (rows, columns).
        color (Sequence[int], optional): BGR. Defaults to a green.

    Returns:
        np.ndarray: A copy with the frames.
    """
    rows, columns = cells.shape
    height, width = picture.shape[0] // rows, picture.shape[1] // columns
    edge = np.zeros((height, width), bool)
    edge[[0, -1]] = True
    edge[:, [0, -1]] = True
    shown = np.kron(cells, edge).astype(bool)
    framed = picture.copy()
    framed[shown] = (60, 170, 0) if color is None else color
    return framed


def save_figure(figure: Figure, path: Union[str, Path]) -> None:
    """Write a figure, whole or not at all.

    Args:
        figure (Figure): The figure; it needs no display.
        path (str or Path): The file: .pdf or .svg by its name, else PNG.
    """
    suffix = Path(path).suffix.lower()
    buffer = io.BytesIO()
    kind = suffix[1:] if suffix in SUFFIXES else 'png'
    figure.savefig(buffer, format=kind, dpi=figure.dpi)
    write_atomic(path, buffer.getvalue())


def figure_pixels(figure: Figure) -> np.ndarray:
    """Draw a figure into an array, (H, W, 3) uint8, RGB."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def contact_sheet(samples: Iterable[Tuple[np.ndarray, str]],
                  columns: int = 8,
                  cell: Tuple[int, int] = (48, 192)) -> np.ndarray:
    """Lay pictures out in rows, each with its caption below.

    Args:
        samples (Iterable[tuple[np.ndarray, str]]): Pictures, BGR uint8 of
            shape (H, W, 3), and captions, in any script.
        columns (int): Pictures in a row.
        cell (tuple[int, int]): Greatest height and width of a picture;
            larger ones are shrunk.

    Returns:
        np.ndarray: BGR uint8 of shape (H, W, 3).

    Raises:
        UserError: If there is no picture.
    """
    tiles = [_tile(image, caption, cell) for image, caption in samples]
    if not tiles:
        raise UserError('A contact sheet needs one picture at least')
    blank = np.full_like(tiles[0], 255)
    tiles += [blank] * (-len(tiles) % columns)
    return np.concatenate([
        np.concatenate(tiles[start:start + columns], axis=1)
        for start in range(0, len(tiles), columns)
    ])


def _tile(image: np.ndarray, caption: str,
          cell: Tuple[int, int]) -> np.ndarray:
    """One picture above its caption, on white."""
    height, width = image.shape[:2]
    scale = min(1.0, cell[0] / height, cell[1] / width)
    if scale < 1:
        height, width = (max(int(side * scale), 1)
                         for side in (height, width))
        image = cv2.resize(
            image, (width, height), interpolation=cv2.INTER_AREA)
    tile = np.full((cell[0] + CAPTION_HEIGHT + 4, cell[1] + 4, 3), 255,
                   np.uint8)
    tile[2:2 + height, 2:2 + width] = image
    draw_caption(tile, caption, (2, cell[0] + CAPTION_HEIGHT - 1), cell[1])
    return tile


def draw_caption(image: np.ndarray, text: str, corner: Tuple[int, int],
                 width: int) -> None:
    r"""Write a line in black; where it is too long it ends in three dots.

    Each character is drawn with a face that has it, of those that matplotlib
    brings and the machine has. One that none has, or that cannot be seen, is
    written as its number: ``\u4e2d``.

    Args:
        image (np.ndarray): BGR uint8 of shape (H, W, 3); it is drawn on.
        text (str): What to write.
        corner (tuple[int, int]): x of the line's left end and y of its base
            line, in pixels.
        width (int): Pixels that it may take.
    """
    text = ''.join(map(_visible, text[:LONGEST]))
    if _width(text) > width:
        while text and _width(f'{text}…') > width:
            text = text[:-1]
        text += '…'
    canvas = Image.fromarray(image)
    pen = ImageDraw.Draw(canvas)
    x = float(corner[0])
    for face, run in _runs(text):
        pen.text((x, corner[1]), run, (0, 0, 0), face, 'ls')
        x += face.getlength(run)
    image[...] = np.asarray(canvas)


def _runs(text: str) -> List[Tuple[ImageFont.FreeTypeFont, str]]:
    """Pieces of a text, each with a face that has all of it."""
    return [(_load(path or str(BUNDLED_FOLDER / 'DejaVuSans.ttf')),
             ''.join(run)) for path, run in groupby(text, font_file_with)]


def _width(text: str) -> float:
    return sum(face.getlength(run) for face, run in _runs(text))


def _visible(char: str) -> str:
    if char.isprintable() and font_file_with(char) is not None:
        return char
    return char.encode('unicode_escape').decode()


@lru_cache(maxsize=None)
def _load(path: str) -> ImageFont.FreeTypeFont:
    """A face, with the layout that joins and turns letters if it is there."""
    return ImageFont.truetype(path, CAPTION_SIZE)
