"""From the bytes of a file to a word, and where it was looked for."""
import math
from dataclasses import dataclass
from typing import Any, List, Optional

import cv2
import numpy as np
import torch
from mmengine.structures import LabelData

from lmim.datasets.decoding import decode_image
from lmim.apis import Recognition, TextRecognizer
from lmim.visualization.attention import (character_attention,
                                          overlay_attention)

#: Height and width within which pictures are shown, in pixels.
SHOWN = (96, 320)


@dataclass
class Reading:
    """A word that was read.

    Attributes:
        word (Recognition): It, with the probability of each character.
        looks (List[np.ndarray]): For each character the picture with what the
            decoder looked at in orange, (h, w, 3), uint8, BGR. Empty if that
            is not known.
        hidden (str, optional): Why it is not.
    """
    word: Recognition
    looks: List[np.ndarray]
    hidden: Optional[str] = None


def read_word(recognizer: TextRecognizer, value: bytes) -> Reading:
    """Read the picture of a word.

    Args:
        recognizer (TextRecognizer): What reads it.
        value (bytes): An image file, of which nothing is trusted.

    Raises:
        UnreadableRecordError: If it is no picture, or one of so many pixels
            that it may be a decompression bomb, or nothing can be made of it.
    """
    image = decode_image(value)
    recognizer.prepare([image])  # its error, if any, is one to show
    word = recognizer.predict_pixels([image])[0]
    if len(word.text) != len(word.char_scores):
        # MMOCR writes what is not in the dictionary as a token: <UKN>.
        return Reading(word, [], 'It wrote a character that its dictionary '
                       'lacks, so that places and characters do not match.')
    if not word.text:
        return Reading(word, [])
    try:
        maps = _attention(recognizer, image, word.text)
    except ValueError:
        return Reading(word, [], 'Its decoder has no attention for each '
                       'character.')
    shown = _shrink(image)
    return Reading(word, [overlay_attention(shown, one) for one in maps])


@torch.inference_mode()
def _attention(recognizer: TextRecognizer, image: np.ndarray,
               text: str) -> np.ndarray:
    """A map over the picture for each character, (characters, rows, cols).

    Raises:
        ValueError: If the recognizer has no such attention.
    """
    model: Any = recognizer.model
    data = model.data_preprocessor(recognizer.prepare([image]), False)
    sample = data['data_samples'][0]
    # Known already: it is not read once more.
    sample.pred_text = LabelData(item=text)
    maps = character_attention(model, data['inputs'], [sample])[0]
    # The rest is padding, which the picture as it was given has not.
    width = math.ceil(maps.shape[2] * float(sample.get('valid_ratio') or 1))
    return maps[:, :, :width]


def _shrink(image: np.ndarray) -> np.ndarray:
    """A picture as large as it is shown, whatever its size was."""
    height, width = image.shape[:2]
    scale = min(SHOWN[0] / height, SHOWN[1] / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(image, size, interpolation=(
        cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC))
