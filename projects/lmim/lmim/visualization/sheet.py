"""Small pictures in rows and columns, with words that explain them."""
import io
import textwrap
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Iterable, List, Optional, Sequence, Tuple, Union

import cv2
import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

from lmim.rendering.fonts import BUNDLED_FOLDER, font_file_with
from lmim.utils.atomic import write_atomic
from lmim.utils.errors import UserError

#: Of captions, in pixels: of a font, of a line, and of one of its letters.
CAPTION_SIZE, CAPTION_HEIGHT, LETTER = 12, 16, 7
#: No line shows more characters.
LONGEST = 200
#: White around a picture, right and below as well as left and above.
MARGIN = 2

#: A title, and a picture (H, W, 3), uint8, BGR, for each row.
Column = Tuple[str, Union[np.ndarray, Sequence[np.ndarray]]]


def contact_sheet(samples: Iterable[Tuple[np.ndarray, str]],
                  columns: int = 8,
                  cell: Tuple[int, int] = (48, 192),
                  note: str = '') -> np.ndarray:
    """Lay pictures out in rows, each with its caption below.

    Args:
        samples (Iterable[tuple[np.ndarray, str]]): Pictures, BGR uint8 of
            shape (H, W, 3), and captions, in any script.
        columns (int): Pictures in a row.
        cell (tuple[int, int]): Greatest height and width of a picture;
            larger ones are shrunk, and the pixels of smaller ones are
            repeated as often as there is room.
        note (str): What is to be seen, in words, below.

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
    rows = [np.concatenate(tiles[start:start + columns], axis=1)
            for start in range(0, len(tiles), columns)]
    return np.concatenate([*rows, _paragraph(note, rows[0].shape[1])])


def draw_sheet(columns: Sequence[Column],
               names: Optional[Sequence[str]] = None,
               note: str = '',
               width: int = 256) -> np.ndarray:
    """Lay columns of pictures out, each picture with its column's title.

    The names of the rows are written above them, and below in words what is
    to be seen. The width is that of a picture, in pixels; the first one's
    shape says how high the cells are. It is BGR uint8 of shape (H, W, 3).
    """
    titles = [title for title, _ in columns]
    height, old_width = columns[0][1][0].shape[:2]
    cell = (width * height // old_width, width)
    strips: List[np.ndarray] = []
    for number, row in enumerate(zip(*(column for _, column in columns))):
        sheet = contact_sheet(zip(row, titles), len(titles), cell)
        if names:
            strips.append(_paragraph(names[number], sheet.shape[1]))
        strips.append(sheet)
    return np.concatenate([*strips, _paragraph(note, sheet.shape[1])])


def _tile(image: np.ndarray, caption: str,
          cell: Tuple[int, int]) -> np.ndarray:
    """One picture above its caption, on white."""
    scale = min(each / side for each, side in zip(cell, image.shape))
    image = (fit_within(image, cell) if scale < 1 else
             enlarge(image, int(scale)))
    tile = np.full((cell[0] + CAPTION_HEIGHT + 2 * MARGIN,
                    cell[1] + 2 * MARGIN, 3), 255, np.uint8)
    height, width = image.shape[:2]
    tile[MARGIN:MARGIN + height, MARGIN:MARGIN + width] = image
    draw_caption(tile, caption, (MARGIN, cell[0] + CAPTION_HEIGHT - 1),
                 cell[1])
    return tile


def _paragraph(text: str, width: int) -> np.ndarray:
    """Lines of a text on white, of a width in pixels; none without text."""
    room = min(max(width // LETTER, 8), LONGEST)
    lines = [line for part in text.split('\n')
             for line in textwrap.wrap(part, room)]
    strip = np.full((CAPTION_HEIGHT * len(lines), width, 3), 255, np.uint8)
    for number, line in enumerate(lines, 1):
        draw_caption(strip, line, (MARGIN, CAPTION_HEIGHT * number - 4),
                     width - 2 * MARGIN)
    return strip


def draw_caption(image: np.ndarray, text: str, corner: Tuple[int, int],
                 width: int) -> None:
    r"""Write a line in black on a picture, uint8 of shape (H, W, 3).

    Each character is drawn with a face that has it, of those that matplotlib
    brings and the machine has. One that none has, or that cannot be seen, is
    written as its number: ``\u4e2d``. The corner is x of the line's left end
    and y of its base line, in pixels. Where the line would take more pixels
    than its width, it ends in three dots.
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


def fit_within(picture: np.ndarray, cell: Tuple[int, int]) -> np.ndarray:
    """Resize a picture (H, W, 3) to the height or width of a cell."""
    height, width = picture.shape[:2]
    scale = min(cell[0] / height, cell[1] / width)
    return cv2.resize(
        picture, (max(1, round(width * scale)), max(1, round(height * scale))),
        interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def enlarge(picture: np.ndarray, factor: int) -> np.ndarray:
    """Repeat the pixels of a picture (H, W, 3)."""
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def frame_cells(picture: np.ndarray, cells: np.ndarray,
                color: Sequence[int] = (60, 170, 0)) -> np.ndarray:
    """Draw a thin frame round some cells of a grid, in a copy of a picture.

    The picture is (H, W, 3) uint8, where H and W are multiples of the grid's
    rows and columns; which cells, bool, (rows, columns); the colour, BGR.
    """
    rows, columns = cells.shape
    edge = np.ones((picture.shape[0] // rows, picture.shape[1] // columns),
                   bool)
    edge[1:-1, 1:-1] = False
    framed = picture.copy()
    framed[np.kron(cells, edge).astype(bool)] = color
    return framed


def save_picture(picture: Union[np.ndarray, Figure],
                 path: Union[str, Path]) -> None:
    """Write a picture as PNG, whole or not at all.

    Args:
        picture (np.ndarray or Figure): BGR uint8 of shape (H, W, 3), or a
            figure of matplotlib, which needs no display.
        path (str or Path): The file.
    """
    if isinstance(picture, Figure):
        buffer = io.BytesIO()
        picture.savefig(buffer, format='png', dpi=picture.dpi)
        write_atomic(path, buffer.getvalue())
    else:
        # The default of OpenCV makes files three times as large.
        code = cv2.imencode('.png', picture,
                            [cv2.IMWRITE_PNG_COMPRESSION, 6])[1]
        write_atomic(path, code.tobytes())
