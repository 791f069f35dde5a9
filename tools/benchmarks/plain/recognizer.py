"""The paper's recognizer: its loss, and writing without memory."""
from contextlib import nullcontext
from typing import Callable, ContextManager, List, Optional, Sequence, Tuple

import torch
import torch.nn.functional as F

from .layers import Weights, attend, linear, norm, trained_groups
from .vit import normalise, vit

#: Changes the logits of a step, (N, classes), given its number.
Force = Callable[[torch.Tensor, int], torch.Tensor]


class PlainRecognizer:
    """The recognizer by plain operations in fp32.

    Args:
        weights (Dict[str, torch.Tensor]): Those of the model.
        characters (str): Those of the dictionary, which the end and the
            padding follow.
        heads (int): Attention heads of the encoder.
        max_length (int): Most characters of a word, T.
        decoder_heads (int): Attention heads of the decoder.
    """

    def __init__(self, weights: Weights, characters: str, heads: int,
                 max_length: int = 25, decoder_heads: int = 8) -> None:
        self.weights = weights
        self.characters = characters
        self.heads = heads
        self.max_length = max_length
        self.decoder_heads = decoder_heads
        self.end, self.padding = len(characters), len(characters) + 1
        self.start = len(weights['decoder.trg_word_emb.weight']) - 1
        self.optimizer = torch.optim.AdamW(
            trained_groups(weights), lr=2e-4, betas=(0.9, 0.999),
            foreach=False)

    @torch.no_grad()
    def read(self, images: torch.Tensor, force: Optional[Force] = None
             ) -> Tuple[List[str], List[List[float]]]:
        """Words and the probabilities of their characters.

        All places of the word go through all blocks at each of the T steps,
        and the picture's keys and values are computed anew.

        Args:
            images (torch.Tensor): uint8, BGR, (N, 3, H, W).
            force (Callable, optional): Changes the logits of a step,
                (N, classes), given its number.
        """
        memory = self._memory(normalise(images))
        written = torch.full((len(images), self.max_length), self.padding,
                             device=images.device)
        chances = torch.zeros(written.shape)
        for step in range(self.max_length):
            logits = self._logits(memory, written)[:, step].float()
            if force is not None:
                logits = force(logits, step)
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

    def loss(self, images: torch.Tensor, words: Sequence[str],
             drop: float = 0.1) -> torch.Tensor:
        """Cross-entropy up to the end, summed over a word, mean over words.

        Args:
            images (torch.Tensor): uint8, BGR, (N, 3, H, W).
            words (Sequence[str]): N words.
            drop (float): Dropout.
        """
        targets = torch.full((len(words), self.max_length), self.padding)
        for row, word in zip(targets, words):
            classes = [self.characters.index(c) for c in word] + [self.end]
            for place, value in enumerate(classes[:self.max_length]):
                row[place] = value
        targets = targets.to(images.device)
        memory = self._memory(normalise(images), drop)
        logits = self._logits(memory, targets, drop)
        return F.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), reduction='sum',
            ignore_index=self.padding) / len(words)

    def step(self, images: torch.Tensor, words: Sequence[str],
             context: Callable[[], ContextManager] = nullcontext) -> None:
        """Loss in some context, gradients, new weights."""
        with context():
            loss = self.loss(images, words)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

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
                   self.decoder_heads, seen, drop)
        return F.dropout(linear(self.weights, f'{name}.fc', y), drop)


def ctc_logits(weights: Weights, images: torch.Tensor, heads: int,
               grid: Sequence[int]) -> torch.Tensor:
    """Logits of the CTC head, (N, columns, classes), of uint8 images."""
    tokens = vit(weights, 'backbone.vit', normalise(images), heads)[:, 1:]
    columns = tokens.unflatten(1, tuple(grid)).mean(dim=1)
    return F.linear(columns, weights['decoder.decoder.weight'].flatten(1),
                    weights['decoder.decoder.bias'])
