"""What an encoder, and a decoder that writes words, look at."""
from typing import Any, Callable, List, Mapping, Sequence, Tuple

import cv2
import numpy as np
import torch
from torch import nn

from lmim.models.backbones import TextViT
from lmim.models.textrecog import ParallelDecoder, TextTransformerDecoder
from lmim.models.textrecog.cross_attention import (attention_weights,
                                                    watched_attention)
from lmim.utils.errors import UserError
from .reconstruction import resized
from .sheet import contact_sheet, draw_sheet, enlarge, frame_cells

#: Of a map that is laid over a picture, in BGR.
HEAT = np.array([0, 90, 255], np.float32)
#: Of the patch that asks, BGR.
QUERY = (255, 40, 0)
ZOOM = 2
NOTE = ('Attention of block {} of {} of the encoder, mean of its heads. '
        '[CLS]: which patches the token takes from that stands for the whole '
        'picture. Patch: which patches the one in the blue frame takes from. '
        'Orange is much, grey is little; each map is scaled to its own '
        'largest value, and what goes to [CLS] is left out.')

CHARACTERS = ('Where the decoder looks as it writes each character (last '
              'block, mean of its heads): orange is much, each map scaled to '
              'its own largest value.')


def find_encoder(model: nn.Module) -> TextViT:
    """The ViT that a model reads pictures with, not a frozen teacher.

    The model is a recognizer, one of pre-training, or the ViT itself; a
    UserError says so if there is none.
    """
    for name, module in model.named_modules():
        if isinstance(module, TextViT) and 'target_generator' not in name:
            return module
    raise UserError(f'{type(model).__name__} has no TextViT, whose attention '
                    'could be drawn. Its attention is unknown to this tool.')


@torch.no_grad()
def encoder_attention(encoder: TextViT,
                      images: torch.Tensor,
                      block: int = -1) -> torch.Tensor:
    """The attention of a block of the encoder.

    Args:
        encoder (TextViT): In eval mode.
        images (torch.Tensor): Normalised images, (N, 3, H, W).
        block (int): Number of the block, from 0; -1 is the last.

    Returns:
        torch.Tensor: For each head how much each token (first axis) takes
        from each (second axis), (N, heads, 1 + L, 1 + L) float32; [CLS]
        comes first, and each row sums to 1.

    Raises:
        UserError: If there is no such block.
    """
    count = len(encoder.layers)
    if not -count <= block < count:
        raise UserError(f'the encoder has {count} blocks, and none of number '
                        f'{block}. Give 0 to {count - 1}, or -1 for the last')
    layer: Any = encoder.layers[block]
    seen: List[Tuple[Any, ...]] = []
    handle = layer.register_forward_pre_hook(
        lambda module, inputs: seen.append(inputs))
    try:
        encoder.encode_whole(images)
    finally:
        handle.remove()
    # From the input of the block: fused attention returns no weights.
    tokens, *rotation = seen[0]
    joint = layer.attn.qkv(layer.ln1(tokens)).float().unflatten(
        2, (3, layer.attn.num_heads, -1)).permute(2, 0, 3, 1, 4)[:2]
    for turns in rotation:  # of rotary positions
        joint = turns.turn(joint)
    return attention_weights(*joint)


@torch.no_grad()
def character_attention(model: nn.Module, inputs: torch.Tensor,
                        data_samples: Sequence[Any]) -> List[np.ndarray]:
    """Where a recognizer looks as it writes each character.

    These are the weights of the cross-attention in the last block of a
    :class:`TextTransformerDecoder`, refined where it refines them, averaged
    over its heads. Words are read
    once more for it, as fused attention returns no weights: all characters in
    one pass where the text is known.

    Args:
        model (nn.Module): A recognizer, in eval mode.
        inputs (torch.Tensor): Normalised images, (N, 3, H, W), as the
            model's ``data_preprocessor`` gives them.
        data_samples (Sequence[TextRecogDataSample]): N samples. Those that
            have no ``pred_text`` yet are read first, which adds it.

    Returns:
        List[np.ndarray]: For each picture (characters, rows, columns) float32
        over the grid of patches; each map sums to 1. What goes to [CLS],
        which is nowhere in the picture, is left out.

    Raises:
        UserError: If the recognizer has no such attention, as CTC's.
    """
    decoder: Any = getattr(model, 'decoder', None)
    encoder: Any = getattr(model, 'encoder', None)
    recognizer: Any = model
    if not isinstance(decoder, TextTransformerDecoder) or encoder is None:
        raise UserError(
            'where a recognizer looks as it writes a character is known of '
            'those with a TextTransformerDecoder or ParallelDecoder, and this '
            f'one has {type(decoder).__name__}. The attention of its encoder '
            'can be drawn: lmim.visualization.encoder_attention, or '
            '`lmim visualize attention` without --characters')
    if not all('pred_text' in sample for sample in data_samples):
        data_samples = recognizer.predict(inputs, data_samples)
    texts = [sample.pred_text.item for sample in data_samples]
    memory = encoder(recognizer.extract_feat(inputs), data_samples)
    # With a ParallelDecoder, of its last pass.
    weights = cross_attention(decoder, memory, lambda: (
        decoder.forward_test(out_enc=memory)
        if isinstance(decoder, ParallelDecoder) else
        decoder.teacher_forced(memory, _classes_of(texts, decoder))))
    vit = find_encoder(model)
    maps = weights.mean(dim=1)[:, :, vit.out_extra_tokens:]
    maps = maps / maps.sum(dim=-1, keepdim=True).clamp_min(1e-12)
    maps = maps.unflatten(2, vit.grid_of(inputs)).cpu()
    return [each[:len(text)].numpy() for each, text in zip(maps, texts)]


def cross_attention(decoder: TextTransformerDecoder, memory: torch.Tensor,
                    run: Callable[[], Any]) -> torch.Tensor:
    """Weights of the cross-attention in the last block, while it is run.

    Args:
        decoder (TextTransformerDecoder): The decoder.
        memory (torch.Tensor): The encoder's output, (N, M, D).
        run (Callable): Runs the decoder; its last pass counts.

    Returns:
        torch.Tensor: (N, heads, T, M).
    """
    with watched_attention(decoder, memory) as weights:
        run()
        return weights()


def overlay_attention(image: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Lay a map over a picture: grey where it is low, orange where high.

    The map is scaled to its own largest value.

    Args:
        image (np.ndarray): (H, W, 3) uint8, BGR as OpenCV has it.
        weights (np.ndarray): (rows, columns), not negative.

    Returns:
        np.ndarray: (H, W, 3) uint8, BGR.
    """
    height, width = image.shape[:2]
    scaled = weights.astype(np.float32) / max(float(weights.max()), 1e-12)
    heat = cv2.resize(scaled, (width, height), interpolation=cv2.INTER_LINEAR)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None]
    # Pale, so that the colour shows on dark pictures too.
    pale = 96 + grey.astype(np.float32) * (159 / 255)
    share = 0.8 * heat[..., None].clip(0, 1)
    colored = HEAT * (0.5 + grey / 510)
    return (pale * (1 - share) + colored * share).round().astype(np.uint8)


def _classes_of(texts: Sequence[str],
                decoder: TextTransformerDecoder) -> torch.Tensor:
    """Classes of the characters of words, padded, (N, T)."""
    rows = [decoder.dictionary.str2idx(text) for text in texts]
    length = max(1, *map(len, rows))
    device = decoder.classifier.weight.device
    return torch.tensor(
        [row + [decoder.padding_idx] * (length - len(row)) for row in rows],
        dtype=torch.long, device=device)


def draw_attention_sheet(images: Sequence[np.ndarray],
                         encoders: Mapping[str, TextViT],
                         names: Sequence[str],
                         block: int = -1) -> np.ndarray:
    """Draw what [CLS] and four patches look at, as the paper's Figure 3.

    There is a row for each picture and encoder. The patches are in the middle
    row of the encoder's grid, from left to right.

    Args:
        images (Sequence[np.ndarray]): The pictures, (H, W, 3) uint8, BGR.
        encoders (Mapping[str, TextViT]): By the names to show, in eval mode.
        names (Sequence[str]): Of the pictures.
        block (int): Number of the block; -1 is the last.

    Raises:
        UserError: If there is no such block.
    """
    shown = [_maps(images, encoder, block) for encoder in encoders.values()]
    drawn: List[List[np.ndarray]] = []
    for number, original in enumerate(images):
        for encoder, every in zip(encoders.values(), shown):
            grid = encoder.grid
            image = enlarge(resized(original, encoder.img_size), ZOOM)
            maps = every[number].reshape(-1, *grid)
            drawn.append([image, overlay_attention(image, maps[0])])
            for query in _queries(grid):
                cell = np.zeros(grid, bool)
                cell[query] = True
                weights = maps[1:][cell.ravel()][0]
                drawn[-1].append(frame_cells(
                    overlay_attention(image, weights), cell, QUERY))
    first = next(iter(encoders.values()))
    count = len(first.layers)
    titles = ['image', '[CLS]', *(f'patch {query}'
                                  for query in _queries(first.grid))]
    return draw_sheet(
        list(zip(titles, zip(*drawn))),
        [f'{name}   {picture}' for picture in names for name in encoders],
        NOTE.format(block % count + 1, count), ZOOM * first.img_size[1])


def _queries(grid: Tuple[int, int]) -> List[Tuple[int, int]]:
    """Rows and columns of the patches whose attention is drawn."""
    rows, columns = grid
    return [(rows // 2, columns * part // 8) for part in (1, 3, 5, 7)]


def draw_character_sheet(images: Sequence[np.ndarray], words: Sequence[str],
                         maps: Sequence[np.ndarray],
                         columns: int = 7) -> np.ndarray:
    """Draw where a recognizer looks as it writes each character.

    A word begins a new line of so many columns, with its picture, (H, W, 3)
    uint8, BGR, first; its maps are (characters, rows, columns).
    """
    blank = np.full((1, 1, 3), 255, np.uint8)
    tiles: List[Tuple[np.ndarray, str]] = []
    for original, word, weights in zip(images, words, maps):
        image = resized(original, (64, 256))
        tiles.append((image, f'read: {word}'))
        tiles += [(overlay_attention(image, each), character)
                  for character, each in zip(word, weights)]
        tiles += [(blank, '')] * (-len(tiles) % columns)
    return contact_sheet(tiles, columns, (64, 256), CHARACTERS)


def normalise(images: Sequence[np.ndarray], device: Any) -> torch.Tensor:
    """Pictures (H, W, 3) uint8, BGR, as all our encoders take them.

    That is (N, 3, H, W), RGB, from -1 to 1: mean and deviation are 127.5.
    """
    batch = np.stack(images)[..., ::-1].transpose(0, 3, 1, 2).copy()
    return torch.from_numpy(batch).to(device).float() / 127.5 - 1


def _maps(images: Sequence[np.ndarray], encoder: TextViT,
          block: int) -> np.ndarray:
    """Maps of [CLS] and all patches, (N, 1 + L, L), the mean of all heads."""
    weights = encoder_attention(
        encoder, normalise([resized(each, encoder.img_size)
                            for each in images],
                           next(encoder.parameters()).device), block)
    return weights.mean(dim=1)[:, :, 1:].cpu().numpy()
