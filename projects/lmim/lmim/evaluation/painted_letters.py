"""How well a method that paints words in plain letters does so."""
from typing import Dict, List, Tuple

import numpy as np
import torch

from lmim.models.selfsup import ODM
from lmim.models.selfsup.odm import iou
from lmim.rendering import PlainGlyphs
from lmim.utils.errors import UserError

from .probes import ProbeWords, encode_words

#: Shares are cut at one of these, whichever suits them best.
THRESHOLDS = tuple(float(share) for share in np.arange(1, 20) / 20)


@torch.no_grad()
def probe_letters(model: ODM, words: ProbeWords) -> Dict[str, float]:
    """Compare what is painted of words with their plain letters.

    Letters in the place of the styled ones, which only drawn words have, and
    level ones, as high and wide as the picture, which are what labelled
    pictures are trained with. Figures are intersections over unions of the
    letters of all pictures together, of what is painted with a share above
    1/2; those that end in ``_best`` of what is above the threshold that gives
    most, on these very words. With them stands what needs no picture: a blank
    one, and the mean of these very letters.

    Args:
        model (ODM): In eval mode.
        words (ProbeWords): Words of its image size with texts.

    Returns:
        Dict[str, float]: ``placed_iou``, painted without a prompt;
        ``placed_iou_told``, with the word as prompt, where the model was
        trained with prompts; ``placed_iou_mean``; each of these with
        ``_best``; ``placed_iou_blank``; and the same of level letters,
        ``level_iou`` ... Empty where there are no texts.
    """
    targets = {}
    if words.glyphs is not None:
        targets['placed'] = np.arange(len(words.texts)), words.glyphs
    rows, level = level_letters(words)
    if rows:
        targets['level'] = np.array(rows), np.stack(level)
    if not targets:
        return {}
    painted = {'': paint(model, words, told=False)}
    if model.prompt_drop < 1:
        painted['_told'] = paint(model, words, told=True)
    figures = {}
    for kind, (chosen, glyphs) in targets.items():
        letters = model.head.letters(torch.from_numpy(glyphs))
        each = {how: shares[chosen] for how, shares in painted.items()}
        each['_mean'] = letters.mean(dim=0, keepdim=True).expand_as(letters)
        for how, shares in each.items():
            figures[f'{kind}_iou{how}'] = iou(shares, letters)
            figures[f'{kind}_iou{how}_best'] = max(
                iou((shares > cut).float(), letters) for cut in THRESHOLDS)
        figures[f'{kind}_iou_blank'] = iou(torch.zeros_like(letters), letters)
    return figures


def level_letters(words: ProbeWords) -> Tuple[List[int], List[np.ndarray]]:
    """Level plain letters of words, and which they are of.

    Those that the font cannot draw are left out.
    """
    font = PlainGlyphs()
    rows, glyphs = [], []
    for row, text in enumerate(words.texts):
        try:
            glyphs.append(font.straight(text, words.images.shape[1:3]))
        except UserError:
            continue
        rows.append(row)
    return rows, glyphs


def paint(model: ODM, words: ProbeWords, told: bool) -> torch.Tensor:
    """Shares of plain letters, (N, H, W), painted with or without a prompt."""
    texts = iter(words.texts)

    def painted(images: torch.Tensor) -> torch.Tensor:
        about = dict(text=[next(texts) for _ in images]) if told else None
        # Noise of 1: no prompt is left out or exchanged.
        found = model.predict(images, images.new_ones(len(images), 1), about)
        assert found.pred_glyphs is not None
        return found.pred_glyphs[0].float().sigmoid()

    return encode_words(model.backbone, words.images, painted).cpu()
