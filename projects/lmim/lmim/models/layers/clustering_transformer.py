"""A transformer that finds centres of nodes: HSG's second step."""
import math
from typing import NamedTuple, Optional

import torch
from mmengine.model import BaseModule
from torch import nn

from lmim.utils.errors import UserError

NORMS = ('LN', 'BN')


class SequenceNorm(nn.Module):
    """Layer norm, or batch norm over all places of sequences.

    Args:
        channels (int): C.
        kind (str): 'LN' or 'BN'.
    """

    def __init__(self, channels: int, kind: str) -> None:
        super().__init__()
        if kind not in NORMS:
            raise UserError(f'norm must be one of {NORMS}, got {kind!r}')
        self.norm: nn.Module = (nn.LayerNorm if kind == 'LN'
                                else nn.BatchNorm1d)(channels)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Normalise (..., C)."""
        return self.norm(tokens.flatten(0, -2)).view_as(tokens)


class GroupingLayer(nn.Module):
    """A block of DETR (arXiv 2005.12872): positions enter queries and keys.

    Attention among the tokens; where ``cross``, to a memory; two linear
    layers. The norm comes after each sum.

    Args:
        dims (int): C.
        heads (int): Of the attention.
        hidden (int): Width between the linear layers.
        dropout (float): Everywhere.
        norm (str): 'LN' or 'BN'.
        cross (bool): Whether it looks at a memory.
    """

    def __init__(self, dims: int, heads: int, hidden: int, dropout: float,
                 norm: str, cross: bool = False) -> None:
        super().__init__()

        def attention() -> nn.MultiheadAttention:
            return nn.MultiheadAttention(dims, heads, dropout,
                                         batch_first=True)

        self.self_attn = attention()
        self.cross_attn = attention() if cross else None
        self.ffn = nn.Sequential(
            nn.Linear(dims, hidden), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(hidden, dims))
        self.dropout = nn.Dropout(dropout)
        self.norms = nn.ModuleList(
            SequenceNorm(dims, norm) for _ in range(2 + cross))

    def forward(self,
                tokens: torch.Tensor,
                places: torch.Tensor,
                padding: Optional[torch.Tensor] = None,
                memory: Optional[torch.Tensor] = None,
                memory_places: Optional[torch.Tensor] = None
                ) -> torch.Tensor:
        """Run the block.

        Args:
            tokens (torch.Tensor): (N, T, C).
            places (torch.Tensor): Their positions, (N, T, C).
            padding (torch.Tensor, optional): What is not looked at, of the
                memory where there is one, else of the tokens; True is
                padding.
            memory (torch.Tensor, optional): (N, M, C).
            memory_places (torch.Tensor, optional): (N, M, C).
        """
        *norms, last = self.norms
        where = tokens + places
        own = padding if self.cross_attn is None else None
        tokens = norms[0](tokens + self.dropout(self.self_attn(
            where, where, tokens, key_padding_mask=own,
            need_weights=False)[0]))
        if self.cross_attn is not None:
            assert memory is not None and memory_places is not None
            tokens = norms[1](tokens + self.dropout(self.cross_attn(
                tokens + places, memory + memory_places, memory,
                key_padding_mask=padding, need_weights=False)[0]))
        return last(tokens + self.dropout(self.ffn(tokens)))


class Centers(NamedTuple):
    """What :class:`ClusteringTransformer` finds.

    Attributes:
        centers (torch.Tensor): (N, K, C), the one of the largest logit first.
        links (torch.Tensor, optional): The same for a next level, (N, K, C).
        logits (torch.Tensor): Of centres and nodes, (N, K, M).
        memory (torch.Tensor): The nodes as they are encoded, (N, M, C).
    """
    centers: torch.Tensor
    links: Optional[torch.Tensor]
    logits: torch.Tensor
    memory: torch.Tensor


class ClusteringTransformer(BaseModule):
    """Finds K centres of the nodes of each graph (HSG, arXiv 2204.11432).

    Nodes are encoded; a decoder starts from their mean and spread, with one
    learned query for each centre; a node belongs to a centre by their inner
    product, divided by sqrt(C).

    Args:
        dims (int): C.
        num_groups (int): K.
        num_layers (int): Of encoder and decoder each.
        num_heads (int): Of all attention.
        hidden_dims (int): Width between linear layers.
        dropout (float): In training.
        norm (str): 'LN', or 'BN' as published, which padded nodes pass too.
        linked (bool): Whether a next level takes what it finds.
        count_padding (bool): As in the published code, each padded node
            counts as one of zeros in the spread.
    """

    def __init__(self,
                 dims: int,
                 num_groups: int,
                 num_layers: int = 2,
                 num_heads: int = 4,
                 hidden_dims: int = 256,
                 dropout: float = 0.1,
                 norm: str = 'LN',
                 linked: bool = False,
                 count_padding: bool = False) -> None:
        super().__init__()
        layer = (dims, num_heads, hidden_dims, dropout, norm)
        self.encoder = nn.ModuleList(
            GroupingLayer(*layer) for _ in range(num_layers))
        self.decoder = nn.ModuleList(
            GroupingLayer(*layer, cross=True) for _ in range(num_layers))
        self.decoder_norm = SequenceNorm(dims, norm)
        self.start = nn.Sequential(
            nn.Linear(2 * dims, hidden_dims, bias=False),
            SequenceNorm(hidden_dims, norm), nn.ReLU(),
            nn.Linear(hidden_dims, dims))

        def head() -> nn.Sequential:
            return nn.Sequential(
                nn.ReLU(), nn.Linear(dims, dims, bias=False),
                SequenceNorm(dims, norm))

        self.center_head = head()
        self.link_head = head() if linked else None
        self.queries = nn.Parameter(torch.randn(num_groups, dims))
        self.count_padding = count_padding

    def init_weights(self) -> None:
        """Xavier for matrices (DETR's), a normal draw for queries."""
        for name, parameter in self.named_parameters():
            if name == 'queries':
                nn.init.normal_(parameter)
            elif parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(self, nodes: torch.Tensor, places: torch.Tensor,
                padding: Optional[torch.Tensor] = None) -> Centers:
        """Find the centres.

        Args:
            nodes (torch.Tensor): (N, M, C).
            places (torch.Tensor): Their positions, (N, M, C).
            padding (torch.Tensor, optional): Which are none, bool, (N, M).
        """
        memory = nodes
        for layer in self.encoder:
            memory = layer(memory, places, padding)
        start = self.start(self._summary(memory, padding))
        queries = self.queries.expand(len(nodes), -1, -1)
        found = start[:, None].expand_as(queries)
        for layer in self.decoder:
            found = layer(found, queries, padding, memory, places)
        found = self.decoder_norm(found)
        centers = self.center_head(found)
        logits = centers @ memory.transpose(1, 2) / math.sqrt(nodes.shape[2])
        order = logits.amax(dim=2).argsort(dim=1, descending=True)[..., None]

        def ordered(values: torch.Tensor) -> torch.Tensor:
            return values.gather(1, order.expand(-1, -1, values.shape[2]))

        links = self.link_head
        return Centers(ordered(centers),
                       None if links is None else ordered(links(found)),
                       ordered(logits), memory)

    def _summary(self, memory: torch.Tensor,
                 padding: Optional[torch.Tensor]) -> torch.Tensor:
        """Mean and standard deviation of the nodes, (N, 2 C)."""
        if padding is None:
            mean, variance = memory.mean(dim=1), memory.var(dim=1)
        else:
            counts = (~padding)[..., None].to(memory)
            number = counts.sum(dim=1).clamp_min(1)
            mean = (memory * counts).sum(dim=1) / number
            far = memory * counts - mean[:, None]
            if not self.count_padding:
                far = far * counts
            variance = far.square().sum(dim=1) / (number + 1)
        # A root has no slope at zero, where all nodes are the same.
        return torch.cat([mean, variance.clamp_min(1e-12).sqrt()], dim=1)
