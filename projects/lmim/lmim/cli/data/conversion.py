"""What becomes of a record on its way into an LMDB."""
from dataclasses import asdict, dataclass
from typing import Any, Dict, NamedTuple, Optional

import cv2
import numpy as np

from lmim.datasets.decoding import decode_image
from lmim.datasets.records import RecordSource, UnreadableRecordError

#: How the files of each format begin.
MAGIC = {'jpg': b'\xff\xd8\xff', 'png': b'\x89PNG\r\n\x1a\n'}


class Converted(NamedTuple):
    """A record as it will be written, or why it will not.

    Attributes:
        image (bytes): The encoded picture.
        label (str, optional): What it says.
        part (str): The LMDB that it goes into.
        reason (str, optional): Why it is left out.
        name (str): Its name, where it is left out.
    """
    image: bytes = b''
    label: Optional[str] = None
    part: str = 'all'
    reason: Optional[str] = None
    name: str = ''


@dataclass(frozen=True)
class Conversion:
    """Reads a record, checks it, and encodes it anew where that is asked.

    Args:
        check (bool): Whether the picture is decoded, so that one that cannot
            be is left out.
        labels (bool): Whether labels are taken along.
        shrink (int, optional): Pictures whose shorter side has more pixels
            are shrunk to so many.
        format (str, optional): 'jpg' or 'png': pictures of another format
            are encoded in this one. Shrunk ones are 'jpg' unless told.
        quality (int): Of JPEG, from 1 to 100.
    """
    check: bool = True
    labels: bool = True
    shrink: Optional[int] = None
    format: Optional[str] = None
    quality: int = 95

    def settings(self) -> Dict[str, Any]:
        """All that the result hangs on."""
        return asdict(self)

    def __call__(self, source: RecordSource, index: int) -> Converted:
        """Make a record ready."""
        try:
            image = source.read(index)
            label = source.label(index) if self.labels else None
            return self.convert(image, label)
        except UnreadableRecordError as error:
            return Converted(reason=str(error), name=source.name(index))

    def convert(self, image: bytes, label: Optional[str]) -> Converted:
        """Make a picture and its label ready.

        Raises:
            UnreadableRecordError: If it is left out.
        """
        if label is not None:
            try:
                label.encode('utf-8')
            except UnicodeEncodeError as error:
                raise UnreadableRecordError(
                    f'the label is no text: {error}') from error
        return Converted(self._image(image), label)

    def _image(self, value: bytes) -> bytes:
        other = self.format is not None and not value.startswith(
            MAGIC[self.format])
        if not (self.check or self.shrink or other):
            return value
        image = decode_image(value)
        side = min(image.shape[:2])
        if self.shrink and side > self.shrink:
            image = _shrink(image, self.shrink / side)
        elif not other:
            return value
        return _encode(image, self.format or 'jpg', self.quality)


def _shrink(image: np.ndarray, scale: float) -> np.ndarray:
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _encode(image: np.ndarray, suffix: str, quality: int) -> bytes:
    options = ([cv2.IMWRITE_JPEG_QUALITY, quality]
               if suffix == 'jpg' else [])
    return cv2.imencode(f'.{suffix}', image, options)[1].tobytes()
