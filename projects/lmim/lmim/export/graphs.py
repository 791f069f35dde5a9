"""The parts of recognizers as graphs: pixels in, characters out.

Each graph is a module that calls the layers of a model, whose ways of training
and searching are left out. Pixels are those of OpenCV: uint8, (N, H, W, 3),
BGR; to normalise them is part of the graph.
"""
from typing import Any, List, Tuple

import torch
from torch import nn

from lmim.models.textrecog import KeysValues

from .preprocessing import PixelFacts

Tensors = Tuple[torch.Tensor, ...]


class PixelGraph(nn.Module):
    """A graph whose input is pixels, normalised for a model by the facts."""

    def __init__(self, model: Any, facts: PixelFacts) -> None:
        super().__init__()
        self.model = model
        self.swap = facts.rgb
        self.mean: torch.Tensor
        self.std: torch.Tensor
        for name in ('mean', 'std'):
            values = torch.tensor(getattr(facts, name), dtype=torch.float32)
            self.register_buffer(name, values.view(1, -1, 1, 1))

    def normalize(self, pixels: torch.Tensor) -> torch.Tensor:
        """Normalise pixels, uint8 (N, H, W, 3), to float (N, 3, H, W)."""
        images = pixels.permute(0, 3, 1, 2).float()
        if self.swap:
            images = images.flip(1)
        return (images - self.mean) / self.std


class EncoderGraph(PixelGraph):
    """A ``TextViT``."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Encode pixels (N, H, W, 3) to tokens (N, 1 + L, C)."""
        return self.model.encode_whole(self.normalize(pixels))


class WholeGraph(PixelGraph):
    """An ``EncoderDecoderRecognizer`` of CTC or of a parallel decoder."""

    def forward(self, pixels: torch.Tensor) -> Tensors:
        """Read pixels, uint8, (N, H, W, 3).

        Returns:
            Tuple: Probabilities (N, T, classes); of each place or column the
            likeliest class (N, T), and its probability (N, T).
        """
        feat = self.model.extract_feat(self.normalize(pixels))
        memory = self.model.encoder(feat) if self.model.with_encoder else None
        probs = self.model.decoder.forward_test(feat, memory, None)
        return _with_likeliest(probs)


class MemoryGraph(PixelGraph):
    """What a ``TextTransformerDecoder`` knows of a picture."""

    def __init__(self, model: Any, facts: PixelFacts) -> None:
        super().__init__(nn.Sequential(model.backbone, model.encoder), facts)
        self.layers = model.decoder.layer_stack

    def forward(self, pixels: torch.Tensor) -> Tensors:
        """Keys and values of each block of the decoder, in turns.

        Of pixels, uint8, (N, H, W, 3), two for each, (N, heads, M, dims).
        """
        memory = self.model(self.normalize(pixels))
        return tuple(one for layer in self.layers
                     for one in layer.memorize(memory))


class StepGraph(nn.Module):
    """One step of a ``TextTransformerDecoder``: from the last character on."""

    def __init__(self, decoder: Any) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, last: torch.Tensor, step: torch.Tensor,
                memory: Tensors, past: Tensors,
                sums: Tensors = ()) -> Tensors:
        """Write a character of each word.

        Args:
            last (torch.Tensor): Class of the last characters, the start at
                first, int64 (N, ).
            step (torch.Tensor): How many are written, int64 (1, ).
            memory (Tuple): What :class:`MemoryGraph` gave.
            past (Tuple): Keys and values of what is written, two for each
                block, (N, heads, S, dims).
            sums (Tuple): What was read of the picture in each block that is
                refined by it, zeros at first, (N, maps, 1, L).

        Returns:
            Tuple: Probabilities (N, classes), the likeliest class (N, ) and
            its probability (N, ); then ``past`` with this step's, of length
            S + 1, and ``sums`` with this step's.
        """
        decoder = self.decoder
        place = decoder.position_enc.position_table[0].index_select(0, step)
        tokens = (decoder.trg_word_emb(last) + place)[:, None]
        written = [[one] for one in _pairs(past)]
        coverage = decoder.new_coverage()
        if coverage is not None:
            coverage.sums = dict(enumerate(sums, coverage.first_layer))
        logits = decoder.run(tokens, _pairs(memory), past=written,
                             coverage=coverage)[:, 0]
        new = [one for block in written for one in block[0]]
        if coverage is not None:
            new += coverage.sums.values()
        return (*_with_likeliest(logits.softmax(dim=-1)), *new)


def _pairs(tensors: Tensors) -> List[KeysValues]:
    """Keys and values that come in turns."""
    return [KeysValues(*pair) for pair in zip(tensors[::2], tensors[1::2])]


def _with_likeliest(probs: torch.Tensor) -> Tensors:
    """Probabilities (..., classes) with the greatest: class and value."""
    chances, classes = probs.max(dim=-1)
    return probs, classes, chances
