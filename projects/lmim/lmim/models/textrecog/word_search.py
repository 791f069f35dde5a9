"""How a decoder that writes one character after another finds its words."""
from typing import TYPE_CHECKING, List

import torch

from .transformer_decoder_layer import KeysValues

if TYPE_CHECKING:
    from .transformer_decoder import LMIMDecoder


class WordWriter:
    """Words being written: what the decoder remembers of each.

    Keys and values of the picture are computed once, those of a character
    when it is written.

    Args:
        decoder (LMIMDecoder): The decoder.
        memory (torch.Tensor): The encoder's output, (N, M, D).
    """

    def __init__(self, decoder: 'LMIMDecoder', memory: torch.Tensor) -> None:
        self.decoder = decoder
        self.layers = decoder.layers
        self.memory = [layer.memorize(memory) for layer in self.layers]
        self.past: List[List[KeysValues]] = [[] for _ in self.layers]
        self.length = 0
        #: The last character of each word, (N, ).
        self.last = torch.full((len(memory), ), decoder.start_idx,
                               device=memory.device)

    def next_logits(self) -> torch.Tensor:
        """Logits of the character that follows :attr:`last`, (N, classes)."""
        decoder = self.decoder
        position = decoder.position_enc.position_table[:, self.length]
        tokens = (decoder.trg_word_emb(self.last) + position)[:, None]
        for layer, memory, past in zip(self.layers, self.memory, self.past):
            tokens = layer(tokens, memory, past=past)
        self.length += 1
        return decoder.classifier(decoder.layer_norm(tokens[:, 0]))

    def take(self, rows: torch.Tensor) -> None:
        """Go on with some words in place of all.

        Args:
            rows (torch.Tensor): Their numbers, repeated ones included,
                (N', ). N' may differ from N before the first character only
                where memory is to grow with it.
        """
        for past in self.past:
            past[:] = [item.rows(rows) for item in past]
        self.memory = [item.rows(rows) for item in self.memory]
        self.last = self.last[rows]


def greedy_search(decoder: 'LMIMDecoder',
                  memory: torch.Tensor) -> torch.Tensor:
    """Write the likeliest character at each step.

    Args:
        decoder (LMIMDecoder): The decoder.
        memory (torch.Tensor): The encoder's output, (N, M, D).

    Returns:
        torch.Tensor: Probabilities, (N, T', classes), where T' is the length
        of the longest word and its end, at most ``decoder.max_seq_len``.
    """
    writer = WordWriter(decoder, memory)
    ended = torch.zeros_like(writer.last, dtype=torch.bool)
    probs = []
    for _ in range(decoder.max_seq_len):
        logits = writer.next_logits()
        probs.append(logits.float().softmax(dim=-1))
        writer.last = logits.argmax(dim=-1)
        ended |= writer.last == decoder.end_idx
        if decoder.early_stop and ended.all():
            break
    return torch.stack(probs, dim=1)


def beam_search(decoder: 'LMIMDecoder', memory: torch.Tensor,
                width: int) -> torch.Tensor:
    """Write the likeliest of the words that ``width`` beams find.

    The likelihood of a word is the product of the probabilities of its
    characters and its end (of its characters, where it is cut off at
    ``max_seq_len``). It can only fall as a word grows, so the search ends,
    without loss, when the best word of every picture has ended.

    Args:
        decoder (LMIMDecoder): The decoder.
        memory (torch.Tensor): The encoder's output, (N, M, D).
        width (int): Words kept for each picture at each step, W.

    Returns:
        torch.Tensor: (N, T', classes): at each step the probability of the
        character that was chosen, given those before it, and 0 for all
        others, so that its maximum over the classes spells the word. After
        its end a word has the end with probability 1.
    """
    count, end = len(memory), decoder.end_idx
    writer = WordWriter(decoder, memory)
    rows = torch.arange(count, device=memory.device)
    writer.take(rows.repeat_interleave(width))
    # All beams of a picture begin alike: only the first one counts.
    scores = memory.new_full((count, width), float('-inf'),
                             dtype=torch.float32)
    scores[:, 0] = 0.
    ended = torch.zeros_like(scores, dtype=torch.bool)
    words = torch.empty(count, width, 0, dtype=torch.long,
                        device=memory.device)
    chances = scores.new_empty(count, width, 0)
    for _ in range(decoder.max_seq_len):
        steps = writer.next_logits().float().log_softmax(dim=-1)
        steps = steps.unflatten(0, (count, width))
        # A word that has ended stays as it is.
        steps = steps.masked_fill(ended[..., None], float('-inf'))
        steps[..., end] = steps[..., end].masked_fill(ended, 0.)
        scores, chosen = (scores[..., None] + steps).flatten(1).topk(width)
        classes = steps.shape[-1]
        parent, written = chosen // classes, chosen % classes
        chance = steps.flatten(1).gather(1, chosen).exp()
        words = torch.cat([_of(words, parent), written[..., None]], dim=2)
        chances = torch.cat([_of(chances, parent), chance[..., None]], dim=2)
        ended = written == end
        writer.take((parent + width * rows[:, None]).flatten())
        writer.last = written.flatten()
        if decoder.early_stop and ended[:, 0].all():
            break
    best = chances.new_zeros(count, words.shape[2], classes)
    return best.scatter_(2, words[:, 0, :, None], chances[:, 0, :, None])


def _of(values: torch.Tensor, parent: torch.Tensor) -> torch.Tensor:
    """Those of values (N, W, T) that belong to the parents (N, W)."""
    return values.gather(1, parent[..., None].expand_as(values))
