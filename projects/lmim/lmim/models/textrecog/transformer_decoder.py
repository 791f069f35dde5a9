"""A transformer that writes words: blocks, decoder, greedy and beam search."""
from functools import partial
from typing import (Callable, Dict, List, NamedTuple, Optional, Sequence,
                    Union, cast)

import torch
import torch.nn.functional as F
from mmocr.models.common.dictionary import Dictionary
from mmocr.models.common.layers import TFDecoderLayer
from mmocr.models.common.modules import MultiHeadAttention, PositionalEncoding
from mmocr.models.textrecog.decoders import BaseDecoder
from mmocr.registry import MODELS
from mmocr.structures import TextRecogDataSample
from torch import nn

from lmim.utils.errors import UserError

from ..layers import attend, init_transformer
from .attention_refinement import AttentionRefinement, Coverage

#: Weights (N, heads, T, M) of queries (N, heads, T, d) on keys
#: (N, heads, M, d).
Weigh = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class KeysValues(NamedTuple):
    """Keys and values of an attention, each (N, heads, length, dims)."""
    keys: torch.Tensor
    values: torch.Tensor

    def followed_by(self, other: 'KeysValues') -> 'KeysValues':
        """Join along the sequence."""
        return KeysValues(*(torch.cat(pair, dim=2)
                            for pair in zip(self, other)))

    def rows(self, rows: torch.Tensor) -> 'KeysValues':
        """Those of some items of the batch, by their numbers (N', )."""
        return KeysValues(self.keys[rows], self.values[rows])


class EarlierWords(NamedTuple):
    """What words to come attend to of words before them.

    Attributes:
        layers (List[KeysValues]): Of all their S tokens, one a block.
        seen (torch.Tensor): Which of them are no padding, bool, (N, S).
    """
    layers: List[KeysValues]
    seen: torch.Tensor


class TextTransformerDecoderLayer(TFDecoderLayer):
    """MMOCR's pre-norm decoder layer with fused attention and a cache.

    The layer takes keys and values instead of sequences, so that those of the
    picture are computed once a word and those of earlier characters once a
    character. The weights and the result are those of ``TFDecoderLayer``.
    """

    def memorize(self, memory: torch.Tensor) -> KeysValues:
        """Compute keys and values of the encoder's output (N, M, D)."""
        found = self._keys_values(self.enc_attn, memory)
        # They are read at every step of a word: in order, once for all.
        return KeysValues(found.keys.contiguous(), found.values.contiguous())

    def forward(self,
                tokens: torch.Tensor,
                memory: KeysValues,
                mask: Optional[torch.Tensor] = None,
                past: Optional[List[KeysValues]] = None,
                context: Optional[torch.Tensor] = None,
                weigh: Optional[Weigh] = None) -> torch.Tensor:
        """Decode some tokens.

        Args:
            tokens (torch.Tensor): (N, T, D).
            memory (KeysValues): What :meth:`memorize` gave.
            mask (torch.Tensor, optional): Added to the logits of
                self-attention, (N, 1, T, K), where K is the number of keys:
                T, or S with ``context``.
            past (List[KeysValues], optional): Keys and values of earlier
                tokens, at most one item; replaced by those up to now.
            context (torch.Tensor, optional): (N, S, D), which the tokens
                attend to in place of themselves.
            weigh (Callable, optional): What weighs the picture's tokens, in
                place of the softmax of plain attention.

        Returns:
            torch.Tensor: (N, T, D).
        """
        normed = self.norm1(tokens)
        own = self._keys_values(
            self.self_attn, normed if context is None else self.norm1(context))
        if past is not None:
            own = past.pop().followed_by(own) if past else own
            past.append(own)
        tokens = tokens + self._attend(self.self_attn, normed, own, mask)
        tokens = tokens + self._attend(self.enc_attn, self.norm2(tokens),
                                       memory, weigh=weigh)
        return tokens + self.mlp(self.norm3(tokens))

    @staticmethod
    def _keys_values(attention: MultiHeadAttention,
                     tokens: torch.Tensor) -> KeysValues:
        heads = (attention.n_head, -1)
        return KeysValues(
            attention.linear_k(tokens).unflatten(2, heads).transpose(1, 2),
            attention.linear_v(tokens).unflatten(2, heads).transpose(1, 2))

    @staticmethod
    def _attend(attention: MultiHeadAttention,
                tokens: torch.Tensor,
                context: KeysValues,
                mask: Optional[torch.Tensor] = None,
                weigh: Optional[Weigh] = None) -> torch.Tensor:
        query = attention.linear_q(tokens)
        query = query.unflatten(2, (attention.n_head, -1)).transpose(1, 2)
        dropout = attention.attention.dropout
        if weigh is None:
            update = attend(
                query,
                *context,
                attn_mask=mask,
                dropout_p=dropout.p if dropout.training else 0.)
        else:
            weights = dropout(weigh(query, context.keys))
            update = weights.to(context.values.dtype) @ context.values
        update = update.transpose(1, 2).flatten(2)
        return attention.proj_drop(attention.fc(update))


@MODELS.register_module()
class TextTransformerDecoder(BaseDecoder):
    """Pre-norm transformer decoder that writes a word character by character.

    The start symbol is no class: it has a row of its own after those of the
    dictionary in the embedding (98 rows for 97 classes), and is never
    predicted. Decoding keeps keys and values of what is written, and stops
    when every word of the batch has ended.

    Args:
        dictionary (dict | Dictionary): Needs ``with_end`` and
            ``with_padding``, and no start token.
        num_layers (int): Number of blocks.
        embed_dims (int): Channels, D.
        num_heads (int): Attention heads.
        head_dims (int): Channels of a head.
        feedforward_channels (int): Hidden channels of the feed-forward part.
        drop_rate (float): Dropout of embedding, attention and feed-forward.
        max_seq_len (int): Most characters of a word, T; the end counts as
            one where it fits.
        early_stop (bool): Stop when all words have ended.
        beam_width (int): Words that are pursued for each picture; 1 (the
            paper's) takes the likeliest character at each step.
        refinement (dict, optional): Refine attention by what was read before
            (CoMER): ``dict(grid=(rows, columns))`` and other options of
            :class:`AttentionRefinement`. Defaults to None, the paper's.
        module_loss (dict, optional): Loss.
        postprocessor (dict, optional): From probabilities to text.
        init_cfg (dict, optional): Initialisation config.

    Raises:
        UserError: If the dictionary has a start token, or no end or padding,
            the beam has no width, or the refinement makes no sense.
    """

    def __init__(self,
                 dictionary: Union[Dict, Dictionary],
                 num_layers: int = 6,
                 embed_dims: int = 512,
                 num_heads: int = 8,
                 head_dims: int = 64,
                 feedforward_channels: int = 256,
                 drop_rate: float = 0.1,
                 max_seq_len: int = 25,
                 early_stop: bool = True,
                 beam_width: int = 1,
                 refinement: Optional[Dict] = None,
                 module_loss: Optional[Dict] = None,
                 postprocessor: Optional[Dict] = None,
                 init_cfg: Optional[Union[Dict, List[Dict]]] = None) -> None:
        super().__init__(
            dictionary=dictionary,
            module_loss=module_loss,
            postprocessor=postprocessor,
            max_seq_len=max_seq_len,
            init_cfg=init_cfg)
        self.end_idx = self.dictionary.end_idx
        self.padding_idx = self.dictionary.padding_idx
        if (self.end_idx is None or self.padding_idx is None
                or self.dictionary.start_idx is not None):
            raise UserError(
                'TextTransformerDecoder has a start symbol of its own: its '
                'dictionary must be built with with_start=False, '
                'with_end=True, with_padding=True')
        if beam_width < 1:
            raise UserError(f'beam_width is 1 or more, not {beam_width}')
        num_classes = self.dictionary.num_classes
        self.start_idx = num_classes
        self.early_stop = early_stop
        self.beam_width = beam_width
        self.trg_word_emb = nn.Embedding(num_classes + 1, embed_dims)
        self.position_enc = PositionalEncoding(
            embed_dims, n_position=max(200, max_seq_len))
        self.dropout = nn.Dropout(drop_rate)
        self.layer_stack = nn.ModuleList(
            TextTransformerDecoderLayer(
                embed_dims,
                feedforward_channels,
                num_heads,
                head_dims,
                head_dims,
                dropout=drop_rate) for _ in range(num_layers))
        self.layer_norm = nn.LayerNorm(embed_dims, eps=1e-6)
        self.classifier = nn.Linear(embed_dims, num_classes)
        self.refinement = None if refinement is None else AttentionRefinement(
            num_heads, **refinement, refine_first=num_layers == 1)

    def init_weights(self) -> None:
        """Xavier-uniform linear layers, as the encoder's."""
        super().init_weights()
        init_transformer(self)

    def forward_train(
        self,
        feat: Optional[torch.Tensor] = None,
        out_enc: Optional[torch.Tensor] = None,
        data_samples: Optional[Sequence[TextRecogDataSample]] = None
    ) -> torch.Tensor:
        """Predict every character from those before it (teacher forcing).

        Args:
            feat (torch.Tensor, optional): Not used.
            out_enc (torch.Tensor): The encoder's output, (N, M, D).
            data_samples (Sequence[TextRecogDataSample]): With
                ``gt_text.padded_indexes`` of length T.

        Returns:
            torch.Tensor: Logits, (N, T, classes).
        """
        assert out_enc is not None and data_samples is not None
        targets = torch.stack([
            sample.gt_text.padded_indexes for sample in data_samples
        ]).to(out_enc.device)
        return self.teacher_forced(out_enc, targets)

    @property
    def layers(self) -> List[TextTransformerDecoderLayer]:
        """The blocks, by their type."""
        return cast(List[TextTransformerDecoderLayer], list(self.layer_stack))

    def teacher_forced(self, memory: torch.Tensor,
                       targets: torch.Tensor) -> torch.Tensor:
        """Logits (N, T, classes) for memory (N, M, D), targets (N, T)."""
        start = torch.full_like(targets[:, :1], self.start_idx)
        inputs = torch.cat([start, targets[:, :-1]], dim=1)
        tokens = self.dropout(self.position_enc(self.trg_word_emb(inputs)))
        return self.run(
            tokens, [layer.memorize(memory) for layer in self.layers],
            self._mask(inputs, tokens.dtype),
            coverage=self.new_coverage(targets != self.padding_idx))

    def new_coverage(self, written: Optional[torch.Tensor] = None
                     ) -> Optional[Coverage]:
        """Of words that begin; see :class:`Coverage`. None if not refined."""
        if self.refinement is None:
            return None
        return Coverage(self.refinement, written)

    def run(self,
            tokens: torch.Tensor,
            memory: Sequence[KeysValues],
            mask: Optional[torch.Tensor] = None,
            past: Optional[Sequence[List[KeysValues]]] = None,
            coverage: Optional[Coverage] = None,
            context: Optional[torch.Tensor] = None) -> torch.Tensor:
        """Run all blocks; all ways of writing do it here.

        Args:
            tokens (torch.Tensor): Embedded characters or queries, (N, T, D).
            memory (Sequence[KeysValues]): Of the picture, one a block.
            mask (torch.Tensor, optional): As of
                :meth:`TextTransformerDecoderLayer.forward`, as are the
                following.
            past (Sequence[List[KeysValues]], optional): One a block.
            coverage (Coverage, optional): Of :meth:`new_coverage`; goes on
                with these tokens.
            context (torch.Tensor, optional): (N, S, D).

        Returns:
            torch.Tensor: Logits, (N, T, classes).
        """
        for number, layer in enumerate(self.layers):
            tokens = layer(
                tokens, memory[number], mask,
                None if past is None else past[number], context,
                None if coverage is None else partial(coverage.weigh, number))
        return self.classifier(self.layer_norm(tokens))

    def _mask(self, inputs: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Hide later characters, and the end with all that follows it.

        Args:
            inputs (torch.Tensor): Class of each input, (N, T).
            dtype (torch.dtype): Type of the mask.

        Returns:
            torch.Tensor: 0 where a key is seen, -inf elsewhere, (N, 1, T, T).
        """
        length = inputs.shape[1]
        seen = torch.ones(
            length, length, dtype=torch.bool, device=inputs.device).tril()
        written = (inputs != self.end_idx) & (inputs != self.padding_idx)
        return hide(~(seen & written[:, None]), dtype)

    def forward_test(
        self,
        feat: Optional[torch.Tensor] = None,
        out_enc: Optional[torch.Tensor] = None,
        data_samples: Optional[Sequence[TextRecogDataSample]] = None
    ) -> torch.Tensor:
        """Write words.

        Args:
            feat (torch.Tensor, optional): Not used.
            out_enc (torch.Tensor): The encoder's output, (N, M, D).
            data_samples (Sequence[TextRecogDataSample], optional): Not used.

        Returns:
            torch.Tensor: Probabilities, (N, T', classes), where T' is the
            length of the longest word and its end, at most T; with several
            beams see :func:`beam_search`.
        """
        assert out_enc is not None
        return self.write(out_enc)

    def write(self, memory: torch.Tensor,
              before: Optional[EarlierWords] = None) -> torch.Tensor:
        """Write words, as :meth:`forward_test`, behind earlier ones if any.

        Args:
            memory (torch.Tensor): The encoder's output, (N, M, D).
            before (EarlierWords, optional): What they attend to besides.
        """
        if self.beam_width == 1:
            return greedy_search(self, memory, before)
        return beam_search(self, memory, self.beam_width, before)


class WordWriter:
    """Words being written: what the decoder remembers of each.

    Keys and values of the picture are computed once, those of a character
    when it is written; what was read of the picture is added up.

    Args:
        decoder (TextTransformerDecoder): The decoder.
        memory (torch.Tensor): The encoder's output, (N, M, D).
        before (EarlierWords, optional): Words that these see; positions
            begin anew behind them.
    """

    def __init__(self, decoder: TextTransformerDecoder, memory: torch.Tensor,
                 before: Optional[EarlierWords] = None) -> None:
        self.decoder = decoder
        self.memory = [layer.memorize(memory) for layer in decoder.layers]
        self.past: List[List[KeysValues]] = [[] for _ in decoder.layers]
        #: Which tokens are attended to, (N, S): all where it is None.
        self.seen: Optional[torch.Tensor] = None
        if before is not None:
            self.past = [[each] for each in before.layers]
            self.seen = before.seen
        self.coverage = decoder.new_coverage()
        self.length = 0
        #: The last character of each word, (N, ).
        self.last = torch.full((len(memory), ), decoder.start_idx,
                               device=memory.device)

    def next_logits(self) -> torch.Tensor:
        """Logits of the character that follows :attr:`last`, (N, classes)."""
        decoder = self.decoder
        position = decoder.position_enc.position_table[:, self.length]
        tokens = (decoder.trg_word_emb(self.last) + position)[:, None]
        self.length += 1
        mask = None
        if self.seen is not None:
            self.seen = F.pad(self.seen, (0, 1), value=True)
            mask = hide(~self.seen[:, None], tokens.dtype)
        return decoder.run(tokens, self.memory, mask, self.past,
                           self.coverage)[:, 0]

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
        if self.coverage is not None:
            self.coverage.take(rows)
        self.last = self.last[rows]
        if self.seen is not None:
            self.seen = self.seen[rows]


def greedy_search(decoder: TextTransformerDecoder, memory: torch.Tensor,
                  before: Optional[EarlierWords] = None) -> torch.Tensor:
    """Write the likeliest character at each step.

    Args:
        decoder (TextTransformerDecoder): The decoder.
        memory (torch.Tensor): The encoder's output, (N, M, D).
        before (EarlierWords, optional): Words that are seen.

    Returns:
        torch.Tensor: Probabilities, (N, T', classes), where T' is the length
        of the longest word and its end, at most ``decoder.max_seq_len``.
    """
    writer = WordWriter(decoder, memory, before)
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


def beam_search(decoder: TextTransformerDecoder, memory: torch.Tensor,
                width: int, before: Optional[EarlierWords] = None
                ) -> torch.Tensor:
    """Write the likeliest of the words that ``width`` beams find.

    The likelihood of a word is the product of the probabilities of its
    characters and its end (of its characters, where it is cut off at
    ``max_seq_len``). It can only fall as a word grows, so the search ends,
    without loss, when the best word of every picture has ended.

    Args:
        decoder (TextTransformerDecoder): The decoder.
        memory (torch.Tensor): The encoder's output, (N, M, D).
        width (int): Words kept for each picture at each step, W.
        before (EarlierWords, optional): Words that are seen.

    Returns:
        torch.Tensor: (N, T', classes): at each step the probability of the
        character that was chosen, given those before it, and 0 for all
        others, so that its maximum over the classes spells the word. After
        its end a word has the end with probability 1.
    """
    count, end = len(memory), decoder.end_idx
    writer = WordWriter(decoder, memory, before)
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


def hide(hidden: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """A mask of self-attention, (N, 1, T, K), of what is hidden, (N, T, K)."""
    mask = torch.zeros_like(hidden, dtype=dtype)
    return mask.masked_fill(hidden, float('-inf'))[:, None]


def _of(values: torch.Tensor, parent: torch.Tensor) -> torch.Tensor:
    """Those of values (N, W, T) that belong to the parents (N, W)."""
    return values.gather(1, parent[..., None].expand_as(values))
