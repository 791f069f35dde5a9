"""Words of honest lengths from a decoder that has learned nothing."""
from typing import Optional

import torch
from torch import nn


class WordEnds(nn.Module):
    """A classifier that ends each word after a length that was drawn.

    A decoder with random weights would hardly ever end a word, and be
    measured on words that no one writes. Logits of the end are put below all
    others until a word has its letters, and above all others then; the tokens
    behind the end (padding, unknown) are never written. The plain reference
    calls :meth:`force` with the same lengths.

    Args:
        classifier (nn.Module): Gives logits (N, classes) of one character of
            each word, in the order of the batch, step by step.
        end (int): Class of the end, which follows those of the characters.
        lengths (torch.Tensor): Letters of each word, (N, ).
    """

    def __init__(self, classifier: nn.Module, end: int,
                 lengths: torch.Tensor) -> None:
        super().__init__()
        self.classifier = classifier
        self.end = end
        self.lengths = lengths
        self.begin()

    def begin(self) -> None:
        """The next call is for the first characters of all words."""
        self.step = 0
        self.rows = torch.arange(len(self.lengths),
                                 device=self.lengths.device)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits (N', classes) of tokens (N', D).

        N' may get smaller from step to step where words that have ended are
        left out of the batch.

        Raises:
            ValueError: If other words were left out.
        """
        if len(tokens) != len(self.rows):
            self.rows = self.rows[self.lengths[self.rows] >= self.step]
        if len(tokens) != len(self.rows):
            raise ValueError(f'step {self.step} is for {len(tokens)} words '
                             f'and {len(self.rows)} have not ended')
        logits = self.force(self.classifier(tokens), self.step, self.rows)
        self.step += 1
        return logits

    def force(self, logits: torch.Tensor, step: int,
              rows: Optional[torch.Tensor] = None) -> torch.Tensor:
        """Logits (N', classes) that end words in this step, or do not.

        Args:
            logits (torch.Tensor): As the decoder gives them.
            step (int): From 0.
            rows (torch.Tensor, optional): Numbers of the words, (N', );
                defaults to all.
        """
        lengths = self.lengths if rows is None else self.lengths[rows]
        logits = logits.clone()
        logits[:, self.end:] = float('-inf')
        logits[lengths <= step, self.end] = 100.
        return logits


def draw_lengths(count: int, device: str, longest: int = 12) -> torch.Tensor:
    """Lengths of words from 1 to the longest, each as likely, (count, )."""
    generator = torch.Generator().manual_seed(count)
    return torch.randint(1, longest + 1, (count, ),
                         generator=generator).to(device)
