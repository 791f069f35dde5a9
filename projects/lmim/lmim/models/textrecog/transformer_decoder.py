"""The text decoder of LMIM's recognizer."""
from typing import Dict, List, Optional, Sequence, Union, cast

import torch
from mmocr.models.common.dictionary import Dictionary
from mmocr.models.common.modules import PositionalEncoding
from mmocr.models.textrecog.decoders import BaseDecoder
from mmocr.registry import MODELS
from mmocr.structures import TextRecogDataSample
from torch import nn

from lmim.utils.errors import UserError

from ..layers import init_transformer, quicken
from .transformer_decoder_layer import LMIMDecoderLayer
from .word_search import beam_search, greedy_search


@MODELS.register_module()
class LMIMDecoder(BaseDecoder):
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
        module_loss (dict, optional): Loss.
        postprocessor (dict, optional): From probabilities to text.
        init_cfg (dict, optional): Initialisation config.

    Raises:
        UserError: If the dictionary has a start token, or no end or padding,
            or the beam has no width.
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
                'LMIMDecoder has a start symbol of its own: its dictionary '
                'must be built with with_start=False, with_end=True, '
                'with_padding=True')
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
            LMIMDecoderLayer(
                embed_dims,
                feedforward_channels,
                num_heads,
                head_dims,
                head_dims,
                dropout=drop_rate) for _ in range(num_layers))
        self.layer_norm = nn.LayerNorm(embed_dims, eps=1e-6)
        self.classifier = nn.Linear(embed_dims, num_classes)
        quicken(self)

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
    def layers(self) -> List[LMIMDecoderLayer]:
        """The blocks, by their type."""
        return cast(List[LMIMDecoderLayer], list(self.layer_stack))

    def teacher_forced(self, memory: torch.Tensor,
                       targets: torch.Tensor) -> torch.Tensor:
        """Logits (N, T, classes) for memory (N, M, D), targets (N, T)."""
        start = torch.full_like(targets[:, :1], self.start_idx)
        inputs = torch.cat([start, targets[:, :-1]], dim=1)
        tokens = self.dropout(self.position_enc(self.trg_word_emb(inputs)))
        mask = self._mask(inputs, tokens.dtype)
        for layer in self.layers:
            tokens = layer(tokens, layer.memorize(memory), mask)
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
        seen = seen & written[:, None, None]
        hidden = torch.full(
            seen.shape, float('-inf'), dtype=dtype, device=inputs.device)
        return hidden.masked_fill(seen, 0.)

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
            beams see :func:`~.word_search.beam_search`.
        """
        assert out_enc is not None
        if self.beam_width == 1:
            return greedy_search(self, out_enc)
        return beam_search(self, out_enc, self.beam_width)
