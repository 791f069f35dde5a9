"""What features hold, told without fine-tuning.

Features are tensors (N, L, C): of N pictures L tokens each. All figures are
computed in float64 on the features' own device.
"""
from typing import (Any, Callable, Dict, List, NamedTuple, Optional, Sequence,
                    Tuple)

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from mmocr.datasets.transforms import Resize
from mmocr.registry import MODELS

from lmim.datasets import RenderedTextDataset, TextImageDataset
from lmim.models.backbones import ContentViT, TextViT
from lmim.models.backbones.content_vit import HALVES
from lmim.models.selfsup import Prediction
from lmim.models.selfsup.base import PREPROCESSOR
from lmim.utils.errors import UserError

#: Of the words of a linear probe, this share is for its test.
HELD_OUT = 0.25
#: Weight of the penalty beside features of unit variance.
RIDGE = 1e-2
#: A patch shows a character that has this share of its pixels.
LEAST_INK = 1 / 16
#: Words that an encoder is given at once.
BATCH = 64


class Shares(NamedTuple):
    """What explains features, as shares of their mean square.

    Attributes:
        mean (float): The mean of all tokens.
        picture (float): The mean of each picture's tokens, which holds the
            former.
        within (float): What differs within pictures: the rest.
        beside_position (float): What of this is left beside the mean of each
            position over pictures.
    """
    mean: float
    picture: float
    within: float
    beside_position: float

    @property
    def within_of_variance(self) -> float:
        """float: ``within`` as a share of the variance about the mean."""
        return self.within / max(1 - self.mean, 1e-12)


def variance_shares(features: torch.Tensor) -> Shares:
    """Split the mean square of features (N, L, C) by what explains it.

    Features that are all zero have no share of anything.
    """
    features = features.double()
    total = features.square().mean().clamp_min(1e-300)
    picture = features.mean(dim=1, keepdim=True)
    within = features - picture
    beside = within - within.mean(dim=0)
    mean = features.mean(dim=(0, 1))
    return Shares(*(float(part.square().mean() / total)
                    for part in (mean, picture, within, beside)))


class Spread(NamedTuple):
    """How far vectors of different pictures are apart.

    Attributes:
        std (float): Standard deviation over pictures, the mean over channels.
        norm (float): Mean length of the vectors.
        relative (float): The standard deviation in units of a channel's root
            mean square: 0 where all pictures are the same, 1 where they have
            nothing in common.
    """
    std: float
    norm: float
    relative: float


def spread(vectors: torch.Tensor) -> Spread:
    """Measure how vectors (N, C) of N >= 2 pictures differ."""
    vectors = vectors.double()
    std = float(vectors.std(dim=0, unbiased=False).mean())
    size = float(vectors.square().mean().sqrt())
    return Spread(std, float(vectors.norm(dim=1).mean()),
                  std / max(size, 1e-12))


def effective_rank(vectors: torch.Tensor) -> float:
    """How many directions vectors (M, C) fill.

    It is the exponential of the entropy of their singular values (Roy &
    Vetterli, EUSIPCO 2007), not centred, as in RankMe (arXiv 2210.02885).

    Returns:
        float: From 1 to min(M, C); 0 where all are zero.
    """
    vectors = vectors.double()
    # Of the Gram matrix, which is small where there are many vectors.
    values = torch.linalg.eigvalsh(vectors.T @ vectors).clamp_min(0).sqrt()
    shares = values / values.sum().clamp_min(1e-300)
    if not shares.any():
        return 0.
    return float(torch.special.entr(shares).sum().exp())


def linear_probe(features: torch.Tensor,
                 classes: torch.Tensor,
                 held_out: torch.Tensor,
                 ridge: float = RIDGE) -> Tuple[float, float]:
    """Read classes off features by ridge regression, in closed form.

    Args:
        features (torch.Tensor): (M, C). They are standardised first.
        classes (torch.Tensor): Their classes, int64 (M, ).
        held_out (torch.Tensor): Which are for the test, bool (M, ).
        ridge (float): Weight of the penalty.

    Returns:
        Tuple[float, float]: The accuracy on those held out, and that of
        always naming the class that is most frequent among the others.

    Raises:
        UserError: If none are held out, or all.
    """
    if held_out.all() or not held_out.any():  # also where there are none
        raise UserError('a linear probe needs features to learn from and '
                        'others to test on: give more words')
    features = features.double()
    seen = features[~held_out]
    mean, scale = seen.mean(dim=0), seen.std(dim=0, unbiased=False)
    features = (features - mean) / scale.clamp_min(1e-6)
    seen = features[~held_out]
    wanted = F.one_hot(classes[~held_out], int(classes.max()) + 1).double()
    bias = wanted.mean(dim=0)
    gram = seen.T @ seen / len(seen)
    gram.diagonal().add_(ridge)
    weights = torch.linalg.solve(gram, seen.T @ (wanted - bias) / len(seen))
    found = (features[held_out] @ weights + bias).argmax(dim=1)
    right = found == classes[held_out]
    chance = classes[held_out] == bias.argmax()
    return float(right.double().mean()), float(chance.double().mean())


def probe_prediction(found: Prediction) -> Dict[str, float]:
    """What a method's forward pass tells of collapse.

    Args:
        found (Prediction): Of N >= 2 pictures.

    Returns:
        Dict[str, float]: ``std``, ``norm`` and ``relative`` of
        :class:`Spread`, of the first view's [CLS], or of the instances of
        each picture where a method contrasts these; and, where patches are
        rebuilt, the :class:`Shares` of the target as ``target_within`` ...
        and those of what is predicted for hidden patches, ``pred_within`` ...
    """
    vectors = (found.instances[0].flatten(1) if len(found.instances) else
               found.tokens[0][:, 0])
    figures = spread(vectors)._asdict()
    pred, target = found.pred, found.target
    if pred is not None and found.mask is not None:
        # As many are hidden in each picture.
        pred = pred[found.mask.bool()].unflatten(0, (len(pred), -1))
    for name, features in (('target', target), ('pred', pred)):
        if features is not None:
            figures.update({f'{name}_{share}': value for share, value in
                            variance_shares(features)._asdict().items()})
    return figures


class ProbeWords(NamedTuple):
    """Words to probe with.

    Attributes:
        images (np.ndarray): (N, H, W, 3) uint8, BGR, of the encoder's size.
        letters (np.ndarray): Which character of its text each pixel shows,
            uint8 (N, H, W): i + 1 for the i-th, 0 for none.
        texts (List[str]): What they say; '' where that is not known.
        fonts (Sequence[str]): What they are drawn with; empty where that is
            not known.
        glyphs (np.ndarray, optional): Their plain letters in the place of
            these, uint8 (N, H, W), where that was asked for.
    """
    images: np.ndarray
    letters: np.ndarray
    texts: List[str]
    fonts: Sequence[str] = ()
    glyphs: Optional[np.ndarray] = None


def draw_words(number: int, img_size: Sequence[int], part: str = 'test',
               **settings: Any) -> ProbeWords:
    """Draw words, the same each time, of an image size (height, width).

    Words and fonts are those that training on rendered words has not, or of
    ``part='train'``; settings are those of :class:`RenderedTextDataset`.
    """
    return _take(RenderedTextDataset(
        number, part, fixed=True, with_text=True, with_letters='labels',
        pipeline=[_resize(img_size)], **settings), number)


def read_words(paths: Sequence[str], number: int, img_size: Sequence[int],
               with_text: bool = True) -> ProbeWords:
    """Read words, evenly spread over all that there are.

    Characters are taken to be of equal width, from edge to edge.

    Args:
        paths (Sequence[str]): As :class:`TextImageDataset` takes them.
        number (int): The most words.
        img_size (Sequence[int]): Height and width.
        with_text (bool): Whether they have labels.

    Raises:
        UserError, OSError: As :class:`TextImageDataset` raises them.
    """
    return _take(TextImageDataset(
        list(paths), with_text=with_text, pipeline=[_resize(img_size)]),
        number)


def _resize(img_size: Sequence[int]) -> Resize:
    return Resize(scale=(img_size[1], img_size[0]), clip_object_border=False)


def _take(dataset: Any, number: int) -> ProbeWords:
    images, letters, texts, fonts, glyphs = [], [], [], [], []
    number = min(number, len(dataset))
    for index in range(number):
        word = dataset[index * len(dataset) // number]
        image = word['img']
        text = word['instances'][0]['text'] if 'instances' in word else ''
        equal = np.arange(image.shape[1]) * len(text) // image.shape[1] + 1
        images.append(image)
        texts.append(text)
        if isinstance(dataset, RenderedTextDataset):
            fonts.append(dataset.words.face(word['sample_idx']).name)
        if 'plain_glyphs' in word:
            glyphs.append(cv2.resize(word['plain_glyphs'],
                                     image.shape[1::-1]))
        letters.append(word.get('gt_seg_map', np.broadcast_to(
            (equal if text else equal * 0).astype(np.uint8),
            image.shape[:2])))
    return ProbeWords(np.stack(images), np.stack(letters), texts, fonts,
                      np.stack(glyphs) if glyphs else None)


def patch_characters(words: ProbeWords, grid: Sequence[int]
                     ) -> torch.Tensor:
    """Which character each patch of a grid (rows, columns) shows most of.

    Told by its place among the sorted characters of all N texts, int64
    (N, L); -1 where hardly any ink is.
    """
    known = sorted(set(''.join(words.texts)))
    patches = torch.from_numpy(words.letters).unflatten(
        2, (grid[1], -1)).unflatten(1, (grid[0], -1)).transpose(2, 3)
    patches = patches.flatten(3).flatten(1, 2)
    longest = max(map(len, words.texts))
    ink = torch.stack([(patches == number).sum(dim=2)
                       for number in range(1, longest + 1)], dim=2)
    most, place = ink.max(dim=2)
    codes = torch.tensor([[known.index(char) for char in text]
                          + [-1] * (longest - len(text))
                          for text in words.texts])
    return codes.gather(1, place).where(
        most >= LEAST_INK * patches.shape[2], torch.tensor(-1))


def attention_correctness(maps: Sequence[np.ndarray],
                          letters: np.ndarray) -> float:
    """How much of a character's attention is on its own columns.

    Args:
        maps (Sequence[np.ndarray]): What a decoder attends to as it writes
            each character of N words, (characters, rows, columns), each map
            of sum 1; see :func:`lmim.visualization.character_attention`.
        letters (np.ndarray): Which character each pixel shows, uint8
            (N, H, W), i + 1 for the i-th; H and W multiples of the maps'.

    Returns:
        float: The mean over all characters that have a pixel of the share
        that is on columns with one of theirs, from 0 to 1.

    Raises:
        UserError: If no character has a pixel.
    """
    shares = []
    for word, shown in zip(maps, letters):
        columns = word.sum(axis=1)
        for number, attention in enumerate(columns, 1):
            own = (shown == number).any(axis=0).reshape(
                len(attention), -1).any(axis=1)
            if own.any():
                shares.append(float(attention[own].sum()))
    if not shares:
        raise UserError('no character of these words has a pixel, so what '
                        'attention should be on is not known')
    return float(np.mean(shares))


@torch.no_grad()
def encode_words(encoder: TextViT, images: np.ndarray,
                 encode: Optional[Callable[[torch.Tensor], torch.Tensor]]
                 = None) -> torch.Tensor:
    """What an encoder makes of words (N, H, W, 3), uint8, BGR.

    Returns:
        torch.Tensor: All tokens of whole pictures, (N, 1 + L, C), or what
        ``encode`` gives of normalised pictures; float32.
    """
    device = encoder.patch_embed.projection.weight.device
    preprocess = MODELS.build(dict(PREPROCESSOR, _scope_='mmocr')).to(device)
    pixels = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
    encode = encode or encoder.encode_whole
    return torch.cat([
        encode(preprocess(
            dict(inputs=[batch], data_samples=None))['inputs'][0]).float()
        for batch in pixels.split(BATCH)])


@torch.no_grad()
def probe_encoder(encoder: TextViT, words: ProbeWords) -> Dict[str, float]:
    """Probe the features of a frozen encoder.

    Args:
        encoder (TextViT): In eval mode.
        words (ProbeWords): N >= 2 words of its image size.

    Returns:
        Dict[str, float]: ``cls_std``, ``cls_norm`` and ``cls_relative`` of
        :class:`Spread`; ``patch_within``, the share of the patches' variance
        that is within pictures; ``cls_rank`` and ``patch_rank``; where texts
        are known, ``character_accuracy``, the share of patches of held-out
        words whose character a linear probe reads, and
        ``character_chance``, that of always naming the commonest.
    """
    tokens = encode_words(encoder, words.images)
    patches = tokens[:, encoder.out_extra_tokens:]
    # Without [CLS], the mean of the patches.
    cls = tokens[:, 0] if encoder.out_extra_tokens else patches.mean(dim=1)
    figures = {f'cls_{name}': value
               for name, value in spread(cls)._asdict().items()}
    figures.update(
        patch_within=variance_shares(patches).within_of_variance,
        cls_rank=effective_rank(cls),
        patch_rank=effective_rank(patches.flatten(0, 1)))
    if any(words.texts):
        accuracy, chance = _read_characters(patches, words, encoder.grid)
        figures.update(character_accuracy=accuracy, character_chance=chance)
    return figures


@torch.no_grad()
def probe_halves(encoder: ContentViT, words: ProbeWords) -> Dict[str, float]:
    """Probe what style knows of content, and content of style.

    Content is characters, read off patches. Style is the font, and the tone
    of the ground, which of four ranges as full its brightness is in: both
    are read off the mean of the patches of a word.

    Args:
        encoder (ContentViT): In eval mode.
        words (ProbeWords): Words of its image size with texts and fonts.

    Returns:
        Dict[str, float]: Accuracies on held-out words, as
        ``style_character``, ``style_font``, ``style_tone``,
        ``content_character`` ..., and ``chance_character`` ..., those of
        always naming what is most frequent.
    """
    fonts = sorted(set(words.fonts))
    ground = np.array([image[shown == 0].mean() for image, shown in
                       zip(words.images, words.letters)])
    classes = dict(
        font=torch.tensor([fonts.index(font) for font in words.fonts]),
        tone=torch.from_numpy(np.searchsorted(
            np.quantile(ground, (0.25, 0.5, 0.75)), ground)))
    both = encode_words(encoder, words.images, lambda images: torch.cat(
        encoder.part(images)[1:3], dim=2))
    figures: Dict[str, float] = {}
    for half, patches in zip(HALVES, both.chunk(2, dim=2)):
        found = dict(character=_read_characters(patches, words, encoder.grid))
        for name, wanted in classes.items():
            found[name] = linear_probe(
                patches.mean(dim=1), wanted.to(patches.device),
                _held_out(len(wanted)).to(patches.device))
        for name, (accuracy, chance) in found.items():
            figures[f'{half}_{name}'] = accuracy
            figures[f'chance_{name}'] = chance
    return figures


def _held_out(count: int) -> torch.Tensor:
    """Which of so many words are for the test, bool."""
    return torch.arange(count) >= round(count * (1 - HELD_OUT))


def _read_characters(patches: torch.Tensor, words: ProbeWords,
                     grid: Sequence[int]) -> Tuple[float, float]:
    """Accuracy and chance of reading characters off patches (N, L, C)."""
    classes = patch_characters(words, grid)
    shown = classes >= 0
    rows = _held_out(len(classes))[:, None].expand_as(classes)[shown]
    device = patches.device
    return linear_probe(patches[shown.to(device)],
                        classes[shown].to(device), rows.to(device))
