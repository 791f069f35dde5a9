"""Whether what was exported computes what the model does."""
from typing import Any, Dict, List, NamedTuple, Sequence

import numpy as np
import torch

from .errors import ExportError
from .preprocessing import PixelFacts
from .samples import Samples

#: Scores and tokens may differ by so much, from another order of sums. The
#: scale of scores is 1, and of tokens, which are normalised, about 1.
TOLERANCE = 1e-3
#: Pictures at once: single ones, and batches the last of which is smaller.
BATCHES = (1, 5)


class Difference(NamedTuple):
    """How two readings of the same pictures differ.

    Attributes:
        texts (List[str]): Pictures with another text, in words.
        score (float): The greatest difference of a score, of words or
            characters, where the texts agree.
    """
    texts: List[str]
    score: float


def compare(samples: Samples, wanted: Sequence[Any], found: Sequence[Any],
            word_scores: bool = True) -> Difference:
    """Compare readings.

    Args:
        samples (Samples): The pictures.
        wanted (Sequence): What they say: ``text``, ``score`` and
            ``char_scores`` of each.
        found (Sequence): The same by another reader.
        word_scores (bool): Whether scores of words are compared, too.

    Returns:
        Difference: How they differ.
    """
    texts, worst = [], 0.
    for name, one, other in zip(samples.names, wanted, found):
        if one.text != other.text:
            texts.append(f'{name}: {other.text!r} instead of {one.text!r}')
            continue
        pairs = list(zip(one.char_scores, other.char_scores))
        if word_scores:
            pairs.append((one.score, other.score))
        worst = max([worst, *(abs(first - second) for first, second in pairs)])
    return Difference(texts, worst)


def check_recognizer(recognizer: Any, reader: Any, samples: Samples,
                     word_scores: bool) -> Dict[str, Any]:
    """Read the samples with torch and with onnxruntime.

    Args:
        recognizer (TextRecognizer): The model.
        reader (OnnxTextReader): What was exported.
        samples (Samples): The pictures.
        word_scores (bool): Whether the model gives scores of words.

    Returns:
        Dict[str, Any]: What was compared, and the greatest difference.

    Raises:
        ExportError: If texts differ, or scores by more than rounding.
    """
    wanted = recognizer.predict_pixels(samples.images)
    unread = [word for word in wanted if word.error]
    if unread:
        raise ExportError(f'sample {unread[0].source} cannot be prepared: '
                          f'{unread[0].error}. Leave it out of --images')
    worst = 0.
    for size in BATCHES:
        reader.batch_size = size
        differs = compare(samples, wanted, reader(samples.images),
                          word_scores)
        if differs.texts or not differs.score <= TOLERANCE:
            lines = ''.join(f'\n  {line}' for line in differs.texts[:5])
            raise ExportError(
                f'in batches of {size}, onnxruntime reads '
                f'{len(differs.texts)} of {len(samples.images)} samples '
                'otherwise than the model does, and scores differ by up to '
                f'{differs.score:.2g} (allowed: {TOLERANCE}). Nothing was '
                f'written.{lines}\nOther versions of torch, onnxscript or '
                'onnxruntime may do it right')
        worst = max(worst, differs.score)
    return _report(samples, worst)


def check_encoder(vit: Any, facts: PixelFacts, session: Any,
                  samples: Samples) -> Dict[str, Any]:
    """Encode the samples with torch and with onnxruntime.

    Args:
        vit (TextViT): The encoder.
        facts (PixelFacts): How its pictures are prepared.
        session (InferenceSession): What was exported.
        samples (Samples): The pictures.

    Returns:
        Dict[str, Any]: What was compared, and the greatest difference.

    Raises:
        ExportError: If tokens differ by more than rounding.
    """
    pixels = encoder_pixels(samples, facts)
    channels = pixels[..., ::-1] if facts.rgb else pixels
    images = (channels - np.asarray(facts.mean)) / np.asarray(facts.std)
    with torch.inference_mode():
        wanted = vit(torch.from_numpy(
            images.transpose(0, 3, 1, 2).astype(np.float32))).numpy()
    worst = 0.
    for size in BATCHES:
        found = np.concatenate(encode(session, pixels, size))
        difference = float(np.abs(found - wanted).max())
        if not difference <= TOLERANCE:
            raise ExportError(
                f'in batches of {size}, tokens of onnxruntime differ from '
                f"the model's by up to {difference:.2g} (allowed: "
                f'{TOLERANCE}). Nothing was written. Other versions of '
                'torch, onnxscript or onnxruntime may do it right')
        worst = max(worst, difference)
    return _report(samples, worst)


def encoder_pixels(samples: Samples, facts: PixelFacts) -> np.ndarray:
    """The pictures in the size of an encoder, uint8 (N, H, W, 3)."""
    from .onnx_reader import resize
    return resize(samples.images, facts._asdict())


def encode(session: Any, pixels: np.ndarray, size: int) -> List[np.ndarray]:
    """Tokens (n, 1 + L, C) of pixels (N, H, W, 3), some at a time."""
    return [session.run(['tokens'], {'pixels': pixels[at:at + size]})[0]
            for at in range(0, len(pixels), size)]


def _report(samples: Samples, worst: float) -> Dict[str, Any]:
    return {
        'samples': len(samples.images),
        'origin': samples.origin,
        'skipped': samples.skipped,
        'batch_sizes': list(BATCHES),
        'max_difference': worst,
        'allowed': TOLERANCE,
    }
