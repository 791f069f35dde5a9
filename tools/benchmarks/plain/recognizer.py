"""The paper's recognizer: its loss, and writing without memory."""
from typing import Any, Callable, List, Optional, Tuple

import torch
import torch.nn.functional as F

from .layers import (Plain, Weights, attend, linear, norm, normalise,
                     vit)

#: Most characters of a word, T.
MAX_LENGTH = 25
DECODER_HEADS = 8


class PlainRecognizer(Plain):
    """The recognizer by plain operations.

    Args:
        weights (Dict[str, torch.Tensor]): Those of ours, by their names.
        heads (int): Attention heads of the encoder.
        characters (str): Those of the dictionary, which the end and the
            padding follow.
    """

    def __init__(self, weights: Weights, heads: int, characters: str) -> None:
        super().__init__(weights, heads, lr=2e-4, betas=(0.9, 0.999))
        self.characters = characters
        self.end, self.padding = len(characters), len(characters) + 1
        self.start = len(weights['decoder.trg_word_emb.weight']) - 1

    @torch.no_grad()
    def read(self, images: torch.Tensor, force: Callable
             ) -> Tuple[List[str], List[List[float]]]:
        """Words and the probabilities of their characters.

        All places of the word go through all blocks at each of the T steps,
        and the picture's keys and values are computed anew.

        Args:
            images (torch.Tensor): uint8, BGR, (N, 3, H, W).
            force (Callable): Changes the logits of a step, (N, classes),
                given its number.
        """
        memory = self._memory(normalise(images))
        written = torch.full((len(images), MAX_LENGTH), self.padding,
                             device=images.device)
        chances = torch.zeros(written.shape)
        for step in range(MAX_LENGTH):
            logits = force(self._logits(memory, written)[:, step].float(),
                           step)
            chance, written[:, step] = logits.softmax(dim=1).max(dim=1)
            chances[:, step] = chance
        words, scores = [], []
        for classes, found in zip(written.tolist(), chances.tolist()):
            length = (classes + [self.end]).index(self.end)
            places = [place for place in range(length)
                      if classes[place] < len(self.characters)]
            words.append(''.join(self.characters[classes[place]]
                                 for place in places))
            scores.append([found[place] for place in places])
        return words, scores

    def losses(self, *batch: Any, drop: float = 0.1) -> Weights:
        """Cross-entropy up to the end, summed over a word, mean over words.

        Args:
            *batch (Any): Images (N, 3, H, W), uint8, BGR, and N words.
            drop (float): Dropout.
        """
        images, words = batch
        targets = torch.full((len(words), MAX_LENGTH), self.padding)
        for row, word in zip(targets, words):
            classes = [self.characters.index(c) for c in word] + [self.end]
            for place, value in enumerate(classes[:MAX_LENGTH]):
                row[place] = value
        targets = targets.to(images.device)
        memory = self._memory(normalise(images), drop)
        logits = self._logits(memory, targets, drop)
        return {'loss_ce': F.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), reduction='sum',
            ignore_index=self.padding) / len(words)}

    def _memory(self, images: torch.Tensor,
                drop: float = 0.) -> torch.Tensor:
        tokens = vit(self.weights, 'backbone', images, self.heads, drop)
        return norm(self.weights, 'encoder.norm', linear(
            self.weights, 'encoder.projection', tokens), eps=1e-5)

    def _logits(self, memory: torch.Tensor, written: torch.Tensor,
                drop: float = 0.) -> torch.Tensor:
        """Logits (N, T, classes) for memory (N, M, D), classes (N, T)."""
        weights = self.weights
        start = torch.full_like(written[:, :1], self.start)
        inputs = torch.cat([start, written[:, :-1]], dim=1)
        length = inputs.shape[1]
        x = weights['decoder.trg_word_emb.weight'][inputs]
        x = x + weights['decoder.position_enc.position_table'][:, :length]
        x = F.dropout(x, drop)
        places = torch.arange(length, device=inputs.device)
        known = (inputs != self.end) & (inputs != self.padding)
        seen = (places[:, None] >= places) & known[:, None]
        number = 0
        while f'decoder.layer_stack.{number}.norm1.weight' in weights:
            block = f'decoder.layer_stack.{number}'
            y = norm(weights, f'{block}.norm1', x, eps=1e-5)
            x = x + self._attention(f'{block}.self_attn', y, y, seen, drop)
            y = norm(weights, f'{block}.norm2', x, eps=1e-5)
            x = x + self._attention(f'{block}.enc_attn', y, memory, None,
                                    drop)
            y = norm(weights, f'{block}.norm3', x, eps=1e-5)
            y = F.gelu(linear(weights, f'{block}.mlp.w_1', y))
            x = x + F.dropout(linear(weights, f'{block}.mlp.w_2', y), drop)
            number += 1
        return linear(weights, 'decoder.classifier',
                      norm(weights, 'decoder.layer_norm', x))

    def _attention(self, name: str, x: torch.Tensor, memory: torch.Tensor,
                   seen: Optional[torch.Tensor],
                   drop: float) -> torch.Tensor:
        """Attention of x (N, T, D) to memory (N, M, D)."""
        y = attend(linear(self.weights, f'{name}.linear_q', x),
                   linear(self.weights, f'{name}.linear_k', memory),
                   linear(self.weights, f'{name}.linear_v', memory),
                   DECODER_HEADS, seen, drop)
        return F.dropout(linear(self.weights, f'{name}.fc', y), drop)
