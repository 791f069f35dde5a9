"""A decoder for more patches than it can rebuild at once."""
from typing import Any, Tuple

import torch
from mmocr.registry import MODELS
from torch import nn

from lmim.utils.errors import UserError
from .linguistics_guided_decoder import GuidedDecoderLayer
from .masked_decoder import MaskedDecoder


@MODELS.register_module()
class SampledDecoder(MaskedDecoder):
    """Rebuilds a sample of the hidden patches, each from the visible ones.

    Patches of one pixel leave 3,277 of 4,096 tokens hidden, and a decoder that
    lets all of them see each other costs more than the encoder. Here a query,
    mask token and position, attends to the visible tokens alone, as in
    CrossMAE (arXiv 2401.14391), so that any number of them may be asked for:
    in training a share that is drawn anew each time, else all that are hidden.

    Args:
        in_dims (int): Channels of the encoder's tokens.
        out_dims (int): Channels of the target.
        embed_dims (int): Channels of the decoder.
        num_layers (int): Number of blocks: cross-attention and feed-forward.
        num_heads (int): Attention heads of a block.
        sample (float): Share of the hidden patches that is rebuilt in
            training, in (0, 1].
        **kwargs: ``grid``, ``pos_embed``, ``init_cfg`` of
            :class:`MaskedDecoder`.

    Raises:
        UserError: If ``sample`` is out of its range.
    """

    def __init__(self,
                 in_dims: int = 384,
                 out_dims: int = 3,
                 embed_dims: int = 384,
                 num_layers: int = 4,
                 num_heads: int = 6,
                 sample: float = 0.15,
                 **kwargs: Any) -> None:
        super().__init__(in_dims, embed_dims, out_dims, **kwargs)
        if not 0 < sample <= 1:
            raise UserError('sample is a share of the hidden patches, above 0 '
                            f'and at most 1, got {sample}')
        self.sample = sample
        self.decoder_blocks = nn.ModuleList(
            GuidedDecoderLayer(
                embed_dims, num_heads, 'CA-FFN', guided=True,
                dim_feedforward=4 * embed_dims, dropout=0.,
                activation='gelu', layer_norm_eps=1e-6)
            for _ in range(num_layers))

    def forward(
            self, visible: torch.Tensor, ids_restore: torch.Tensor
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """Predict the target of hidden patches.

        Args:
            visible (torch.Tensor): [CLS] and visible tokens,
                (N, 1 + K, in_dims).
            ids_restore (torch.Tensor): (N, L).

        Returns:
            Tuple[torch.Tensor, torch.Tensor]: Prediction (N, L, out_dims), 0
            where none was asked for, and where it was, 1, else 0, (N, L).
        """
        order = ids_restore.argsort(dim=1)
        kept, hidden = order.tensor_split([visible.shape[1] - 1], dim=1)
        if self.training:
            count = max(1, round(self.sample * hidden.shape[1]))
            drawn = torch.rand(hidden.shape, device=hidden.device)
            hidden = hidden.gather(1, drawn.argsort(dim=1)[:, :count])
        places = self.decoder_pos_embed[:, 1:]
        memory = self.decoder_embed(visible)
        memory = memory + torch.cat([
            self.decoder_pos_embed[:, :1].expand(len(kept), -1, -1),
            places[0][kept]], dim=1)
        assert self.mask_token is not None
        queries = self.mask_token + places[0][hidden]
        for block in self.decoder_blocks:
            queries = block(queries, memory)
        found = self.decoder_pred(self.decoder_norm(queries))
        pred = found.new_zeros(*ids_restore.shape, found.shape[-1])
        index = hidden.unsqueeze(-1).expand_as(found)
        asked = torch.zeros_like(ids_restore, dtype=torch.float32)
        return pred.scatter(1, index, found), asked.scatter(1, hidden, 1.)
