"""Pictures to break readers with: formats, damages of each, and bombs."""
import io
import random
import re
import struct
import zlib
from functools import lru_cache, partial
from typing import Any, Callable, Dict, Iterator, NamedTuple, Optional, Tuple

import cv2
import numpy as np
from PIL import Image

from lmim.compat import MAX_PIXELS
from lmim.datasets.pictures import render_some

Draw = random.Random


class Picture(NamedTuple):
    """A kind of file that may be no picture.

    Attributes:
        name (str): What is odd about it.
        make (Callable): Writes it, as drawn.
        wanted (str): 'read', 'refused', or 'either'.
        suffix (str): That its name has.
        near (float): How far its pixels may be from those of :func:`word`, on
            average; None where it shows something else.
    """
    name: str
    make: Callable[[Draw], bytes]
    wanted: str
    suffix: str = '.png'
    near: Optional[float] = None


@lru_cache(maxsize=None)
def word() -> np.ndarray:
    """What all of them show, (H, W, 3), uint8, BGR."""
    return list(render_some(5).values())[4]


def _opencv(suffix: str, *options: int, dtype: Any = np.uint8) -> bytes:
    image = word().astype(dtype) * (257 if dtype is np.uint16 else 1)
    return cv2.imencode(suffix, image, options)[1].tobytes()


def _pillow(kind: str, mode: str = 'RGB', **options: Any) -> bytes:
    return _saved(Image.fromarray(word()[..., ::-1].copy()).convert(mode),
                  kind, **options)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


#: How a format is written, its suffix, and as in Picture.near.
FORMATS: Dict[str, Tuple[Callable[[], bytes], str, float]] = {
    'JPEG': (partial(_opencv, '.jpg'), '.jpg', 4),
    'progressive JPEG': (
        partial(_pillow, 'JPEG', progressive=True), '.jpg', 4),
    'PNG': (partial(_opencv, '.png'), '.png', 0),
    'WebP': (partial(_pillow, 'WEBP'), '.webp', 6),
    'lossless WebP': (
        partial(_pillow, 'WEBP', lossless=True), '.webp', 0),
    'BMP': (partial(_opencv, '.bmp'), '.bmp', 0),
    'TIFF': (partial(_pillow, 'TIFF'), '.tiff', 0),
    'LZW TIFF': (partial(_opencv, '.tiff'), '.tif', 0),
    'GIF': (partial(_pillow, 'GIF'), '.gif', 4),
    'PPM': (partial(_opencv, '.ppm'), '.ppm', 0),
    'PAM': (partial(_opencv, '.pam'), '.pam', 0),
    'JPEG 2000': (partial(_pillow, 'JPEG2000'), '.jp2', 1),
    'AVIF': (partial(_pillow, 'AVIF'), '.avif', 6),
    'Sun raster': (partial(_opencv, '.sr'), '.sr', 0),
    'Radiance HDR': (partial(_opencv, '.hdr'), '.hdr', 4),
}


def _flipped(value: bytes, draw: Draw, end: Optional[int] = None) -> bytes:
    """Some bits of it, or of its head, turned."""
    changed = bytearray(value)
    for _ in range(draw.randrange(1, 12)):
        changed[draw.randrange(len(value[:end]))] ^= 1 << draw.randrange(8)
    return bytes(changed)


#: What is done to a file, and whether it is read then.
DAMAGES: Dict[str, Tuple[str, Callable[[bytes, Draw], bytes]]] = {
    'whole': ('read', lambda value, draw: value),
    'cut off': ('refused', lambda value, draw: value[:draw.randrange(
        1, len(value) * 9 // 10)]),
    'of zeros from somewhere on': ('either', lambda value, draw: value[
        :draw.randrange(1, len(value))].ljust(len(value), b'\0')),
    'bits flipped': ('either', _flipped),
    'bits of its head flipped': ('either', partial(_flipped, end=48)),
    'bytes behind it': ('read', lambda value, draw: value + bytes(
        draw.randrange(256) for _ in range(draw.randrange(1, 400)))),
}
#: Other names are of another format.
OTHER = {'.png': '.jpg'}


def all_pictures() -> Iterator[Picture]:
    """Each format with each damage, and all others."""
    for name, (write, suffix, near) in FORMATS.items():
        for damage, (wanted, spoil) in DAMAGES.items():
            yield Picture(f'{name}, {damage}', partial(_made, write, spoil),
                          wanted, suffix, near if wanted == 'read' else None)
        yield Picture(f'{name}, named as another format',
                      partial(_made, write, DAMAGES['whole'][1]), 'read',
                      OTHER.get(suffix, '.png'), near)
    for name, (wanted, make, *more) in OTHERS.items():
        yield Picture(name, partial(_made, make, DAMAGES['whole'][1]), wanted,
                      *more)


def _made(write: Callable[[], bytes], spoil: Callable[[bytes, Draw], bytes],
          draw: Draw) -> bytes:
    return spoil(write(), draw)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return (struct.pack('>I', len(data)) + kind + data
            + struct.pack('>I', zlib.crc32(kind + data)))


def _png(width: int, height: int, bits: int = 8, colour: int = 0,
         rows: Optional[bytes] = None, before: bytes = b'') -> bytes:
    """A PNG whose pixels are zero unless given, of any size it claims."""
    if rows is None:
        rows = b'\0' * min((1 + width) * height, 2**20)
    return (b'\x89PNG\r\n\x1a\n'
            + _chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, bits,
                                          colour, 0, 0, 0))
            + before + _chunk(b'IDAT', zlib.compress(rows, 9))
            + _chunk(b'IEND', b''))


def _in_word(chunk: bytes) -> bytes:
    """The word as PNG with a chunk behind its header."""
    value = _opencv('.png')
    return value[:33] + chunk + value[33:]


def _claims(format: str, at: bytes, skip: int, layout: str,
            *sides: int) -> bytes:
    """A file whose header says another size: where it says so, behind."""
    value = bytearray(FORMATS[format][0]())
    place = value.index(at) + len(at) + skip
    struct.pack_into(layout, value, place, *sides)
    return bytes(value)


def _jpeg(mode: str, **options: Any) -> bytes:
    return _pillow('JPEG', mode, **options)


def _segments(kind: int, count: int, size: int = 65533) -> bytes:
    """The word as JPEG with segments of application data or comments."""
    value = _opencv('.jpg')
    one = struct.pack('>BBH', 0xff, kind, size + 2) + b'\0' * size
    return value[:2] + one * count + value[2:]


def _scans(side: int, scans: int) -> bytes:
    """A progressive JPEG of a grey square, all scans of which are empty."""
    def segment(kind: int, data: bytes) -> bytes:
        return struct.pack('>BBH', 0xff, kind, len(data) + 2) + data
    runs, codes = [], ''
    blocks = (side // 8)**2
    while blocks:  # EOBn: 2 ** n blocks and as many more as bits say
        size = min(blocks.bit_length() - 1, 14)
        runs.append(size)
        codes += '0' + '0' * size if size == 14 else ''
        if size != 14:
            break
        blocks -= 2**14
    # One code, of one bit, for a run of 2 ** 14 blocks that end.
    data = ''.join(codes)
    data += '1' * (-len(data) % 8)
    packed = int(data, 2).to_bytes(len(data) // 8, 'big')
    table = bytes([1] + [0] * 15)
    dc_bits = '0' * ((side // 8)**2)
    dc = int(dc_bits + '1' * (-len(dc_bits) % 8), 2).to_bytes(
        -(-len(dc_bits) // 8), 'big')
    empty = segment(0xda, bytes([1, 1, 0, 1, 63, 0])) + packed
    return (b'\xff\xd8' + segment(0xdb, bytes([0] + [1] * 64))
            + segment(0xc2, struct.pack('>BHHB', 8, side, side, 1)
                      + bytes([1, 0x11, 0]))
            + segment(0xc4, b'\0' + table + b'\0')
            + segment(0xc4, b'\x10' + table + b'\xe0')
            + segment(0xda, bytes([1, 1, 0, 0, 0, 0])) + dc
            + empty * scans + b'\xff\xd9')


def _gif(side: int, frames: int) -> bytes:
    """A GIF of many frames of one pixel each on a large screen."""
    frame = (b'\x21\xf9\x04\x08\x01\x00\x00\x00' + b'\x2c'
             + struct.pack('<HHHHB', 0, 0, 1, 1, 0) + b'\x02\x02\x44\x01\x00')
    return (b'GIF89a' + struct.pack('<HHBBB', side, side, 0x80, 0, 0)
            + b'\0\0\0\xff\xff\xff' + frame * frames + b';')


def _moving(kind: str, frames: int, **options: Any) -> bytes:
    """The word, then others in which it is inverted, one after the other."""
    first = Image.fromarray(word()[..., ::-1].copy())
    rest = [Image.fromarray(np.roll(255 - word(), number, 1))
            for number in range(1, frames)]
    return _saved(first, kind, save_all=True, append_images=rest, **options)


def _turning_tiff() -> bytes:
    """A TIFF whose directory says that it is followed by itself."""
    value = bytearray(_pillow('TIFF'))
    at, = struct.unpack_from('<I', value, 4)
    entries, = struct.unpack_from('<H', value, at)
    struct.pack_into('<I', value, at + 2 + 12 * entries, at)
    return bytes(value)


def _numbers(*spoilt: float) -> bytes:
    """A TIFF of floating-point numbers, some of which are none."""
    grey = word()[..., 0].astype(np.float32) / 255
    grey.flat[:len(spoilt)] = spoilt
    return _saved(Image.fromarray(grey), 'TIFF')


def _colours(*spoilt: float) -> bytes:
    """The same in three channels."""
    image = word().astype(np.float32)
    image.flat[:len(spoilt)] = spoilt
    return cv2.imencode('.tiff', image)[1].tobytes()


def _transparent(mode: str, kind: str = 'PNG') -> bytes:
    """The word in colours, opaque but for a corner."""
    image = Image.fromarray(word()[..., ::-1].copy()).convert('RGBA')
    image.putpixel((0, 0), (255, 255, 255, 0))
    if mode == 'P':
        return _saved(image.quantize(64), kind)
    return _saved(image.convert(mode), kind)


def _turned() -> bytes:
    """A JPEG stored upside down, with EXIF that says so."""
    exif = Image.Exif()
    exif[0x0112] = 3
    image = Image.fromarray(word()[::-1, ::-1, ::-1].copy())
    return _saved(image, 'JPEG', exif=exif)


_TOO_LARGE = 2**15
#: Whether it is read, how it is written, its suffix, as Picture.near.
OTHERS: Dict[str, Any] = {
    # Sizes.
    'PNG of one pixel': ('read', lambda: _png(1, 1)),
    'PNG of one row': ('read', lambda: _png(300, 1)),
    'PNG of one column': ('read', lambda: _png(1, 300)),
    'PNG of a long row': ('read', lambda: _png(60000, 1)),
    'PNG without width': ('refused', lambda: _png(0, 32)),
    'PNG without height': ('refused', lambda: _png(32, 0)),
    'PPM of no pixels': ('refused', lambda: b'P6 0 0 255\n', '.ppm'),
    'BMP of no height': ('refused', lambda: _claims(
        'BMP', b'BM', 20, '<i', 0), '.bmp'),
    'BMP of negative width': ('refused', lambda: _claims(
        'BMP', b'BM', 16, '<i', -59), '.bmp'),
    'JPEG of no height': ('refused', lambda: _claims(
        'JPEG', b'\xff\xc0\x00\x11\x08', 0, '>H', 0), '.jpg'),
    'GIF of no pixels': ('refused', lambda: _gif(0, 1), '.gif'),
    # Depths and colours.
    '16-bit PNG': ('read', lambda: _opencv('.png', dtype=np.uint16), '.png',
                   1),
    '16-bit TIFF': ('read', lambda: _opencv('.tiff', dtype=np.uint16),
                    '.tiff', 1),
    '1-bit PNG': ('read', lambda: _pillow('PNG', '1'), '.png'),
    '1-bit TIFF': ('read', lambda: _pillow(
        'TIFF', '1', compression='group4'), '.tiff'),
    'grey JPEG': ('read', lambda: _jpeg('L'), '.jpg'),
    'CMYK JPEG': ('read', lambda: _jpeg('CMYK'), '.jpg', 8),
    'CMYK TIFF': ('either', lambda: _pillow('TIFF', 'CMYK'), '.tiff'),
    'Lab TIFF': ('either', lambda: _pillow('TIFF', 'LAB'), '.tiff'),
    'JPEG-compressed TIFF': ('either', lambda: _pillow(
        'TIFF', compression='jpeg'), '.tiff'),
    'PNG with alpha': ('read', lambda: _transparent('RGBA'), '.png', 1),
    'grey PNG with alpha': ('read', lambda: _transparent('LA')),
    'palette with alpha': ('read', lambda: _transparent('P'), '.png', 8),
    'GIF with alpha': ('read', lambda: _transparent('P', 'GIF'), '.gif'),
    'WebP with alpha': ('read', lambda: _transparent('RGBA', 'WEBP'),
                        '.webp', 8),
    'TIFF with alpha': ('read', lambda: _transparent('RGBA', 'TIFF'),
                        '.tiff', 8),
    'TIFF of floats': ('either', lambda: _numbers(), '.tiff'),
    'TIFF of floats, NaN among them': ('either', lambda: _numbers(
        float('nan'), float('inf'), -1e38), '.tiff'),
    'TIFF of coloured floats, NaN among them': ('either', lambda: _colours(
        float('nan'), float('inf'), -1e38), '.tiff'),
    'TIFF of whole numbers of 32 bits': ('either', lambda: _saved(
        Image.fromarray(word()[..., 0].astype(np.int32)), 'TIFF'), '.tiff'),
    'JPEG upside down, and EXIF says so': ('read', _turned, '.jpg', 6),
    # More than one picture.
    'animated GIF': ('read', lambda: _moving('GIF', 5), '.gif', 6),
    'animated PNG': ('read', lambda: _moving('PNG', 5), '.png', 1),
    'animated WebP': ('read', lambda: _moving('WEBP', 5), '.webp', 8),
    'animated AVIF': ('either', lambda: _moving('AVIF', 5), '.avif'),
    'TIFF of 5 pages': ('read', lambda: _moving('TIFF', 5), '.tiff', 1),
    'TIFF whose pages turn in a circle': ('either', _turning_tiff, '.tiff'),
    # Bombs.
    'PNG of as many pixels as are allowed': ('read', lambda: _png(
        2**13, MAX_PIXELS // 2**13, rows=b'\0' * (2**13 + 1)
        * (MAX_PIXELS // 2**13))),
    'PNG with alpha of as many pixels': ('read', lambda: _png(
        2**13, MAX_PIXELS // 2**13, 8, 6, rows=(
            b'\0' + b'\1\2\3\4' * 2**13) * (MAX_PIXELS // 2**13))),
    '16-bit PNG with alpha of many pixels': ('read', lambda: _png(
        2**12, 2**12, 16, 6, rows=(
            b'\0' + b'\1\1\2\2\3\3\4\4' * 2**12) * 2**12)),
    'PNG bomb': ('refused', lambda: _png(_TOO_LARGE, _TOO_LARGE)),
    'PNG that claims 2 ** 31 rows': ('refused', lambda: _png(1, 2**31 - 1)),
    'JPEG bomb': ('refused', lambda: _claims(
        'JPEG', b'\xff\xc0\x00\x11\x08', 0, '>HH', 65000, 65000), '.jpg'),
    'GIF bomb': ('refused', lambda: _gif(65535, 1), '.gif'),
    'GIF of 20,000 frames': ('either', lambda: _gif(4000, 20000), '.gif'),
    'PNG of 300 frames': ('read', lambda: _moving('PNG', 300), '.png', 1),
    'WebP of 200 frames': ('read', lambda: _moving('WEBP', 200), '.webp', 8),
    'TIFF of 300 pages': ('read', lambda: _moving('TIFF', 300), '.tiff', 1),
    'WebP bomb': ('refused', lambda: _claims(
        'lossless WebP', b'VP8L', 5, '<I', 16382 + (16382 << 14)), '.webp'),
    'PPM bomb': ('refused', lambda: b'P6 65000 65000 255\n' + b'\0' * 999,
                 '.ppm'),
    'BMP bomb': ('refused', lambda: _claims(
        'BMP', b'BM', 16, '<ii', 65000, 65000), '.bmp'),
    'TIFF bomb': ('refused', lambda: _claims(
        'TIFF', b'\x00\x01\x04\x00\x01\x00\x00\x00', 0, '<I', 2**30),
        '.tiff'),
    'JPEG 2000 bomb': ('refused', lambda: _claims(
        'JPEG 2000', b'ihdr', 0, '>II', 2**30, 2**30), '.jp2'),
    'AVIF bomb': ('refused', lambda: _claims(
        'AVIF', b'ispe', 4, '>II', 65000, 65000), '.avif'),
    'HDR bomb': ('refused', lambda: re.sub(
        rb'-Y \d+ \+X \d+', b'-Y 65000 +X 65000', _opencv('.hdr')), '.hdr'),
    'JPEG of 5,000 scans': ('refused', lambda: _scans(8192, 5000), '.jpg'),
    'PNG with an ICC profile that unpacks to 100 MB': (
        'either', lambda: _in_word(_chunk(b'iCCP', b'icc\0\0' + zlib.compress(
            bytes(10**8)))), '.png', 1),
    'PNG with text that unpacks to 100 MB': ('either', lambda: _in_word(
        _chunk(b'zTXt', b'Comment\0\0' + zlib.compress(bytes(10**8)))),
        '.png', 1),
    'PNG with 20 MB of EXIF': ('either', lambda: _in_word(
        _chunk(b'eXIf', b'II*\0' + bytes(2 * 10**7))), '.png', 1),
    'PNG with 5,000 texts': ('read', lambda: _in_word(
        _chunk(b'tEXt', b'Comment\0text') * 5000), '.png', 1),
    'JPEG with 20 MB of EXIF': ('either', lambda: _segments(0xe1, 300),
                                '.jpg', 4),
    'JPEG with 20 MB of ICC profile': ('either', lambda: _segments(0xe2, 300),
                                       '.jpg', 4),
    'JPEG with 10,000 comments': ('read', lambda: _segments(
        0xfe, 10000, 10), '.jpg', 4),
    # No pictures.
    'no bytes': ('refused', lambda: b''),
    'one byte': ('refused', lambda: b'\x89'),
    'zeros': ('refused', lambda: bytes(5000)),
    'a page of the web': ('refused', lambda: b'<!DOCTYPE html><p>404'),
    'SVG that names a file': ('refused', lambda: (
        b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM '
        b'"file:///etc/passwd">]><svg width="9" height="9"><text>&x;</text>'
        b'</svg>'), '.svg.png'),
    'PostScript': ('refused', lambda: _pillow('EPS')),
    'PDF': ('refused', lambda: _pillow('PDF')),
    'TGA': ('refused', lambda: _pillow('TGA')),
    'an array of NumPy': ('refused', lambda: b'\x93NUMPY\x01\0v\0'
                          + bytes(500)),
    'GIF with a zip behind it': ('read', lambda: (
        FORMATS['GIF'][0]() + b'PK\x05\x06' + bytes(18)), '.gif', 4),
}
