"""Groups of segments on two levels, found without labels."""
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmocr.registry import MODELS
from torch import nn

from lmim.utils.errors import UserError
from ..layers import init_transformer
from ..layers.clustering_transformer import (ClusteringTransformer,
                                             SequenceNorm)
from ..layers.segments import Segments, find_segments, full_precision
from .grouping_losses import (MOST_CONCENTRATION, center_contrast,
                              collapse_loss, contrast, modularity_loss,
                              nearest_nodes)


class Level(NamedTuple):
    """Groups of the nodes of each picture.

    Attributes:
        probs (torch.Tensor): Of groups and nodes, (N, K, M), also of nodes
            that are none.
        labels (torch.Tensor): The likeliest group of each node, (N, M).
        centers (torch.Tensor): (N, K, C).
        memory (torch.Tensor): What was grouped, encoded: nodes, or the
            groups of the level below, (N, M or K', C).
    """
    probs: torch.Tensor
    labels: torch.Tensor
    centers: torch.Tensor
    memory: torch.Tensor


@MODELS.register_module()
class HierarchicalGroupingHead(BaseModule):
    """HSG (CVPR 2022, arXiv 2204.11432): segments, and groups of them.

    Tokens are projected to unit vectors, and those of each view clustered to
    segments, cut by regions. Segments of all views of a picture are the nodes
    of a graph; a transformer groups them, and another one these groups. All
    pictures are computed at once.

    Departures from the published code, each of which has its own option or
    ``published_nodes``, which restores three: collapse is relative to the
    nodes of a picture and not to the padding, modularity is normalised by 2m
    and not by 4m (both make groups that do not fall together), padding does
    not enter the spread of the nodes; norms are layer norms, which do not
    see padding either. The contrast is over the pictures of a process.

    Args:
        in_dims (int): Channels of the tokens.
        embed_dims (int, optional): C of the unit vectors, after two linear
            layers. None: the tokens themselves, for a frozen encoder.
        grid (Tuple[int, int]): Rows and columns of the tokens.
        seeds (Tuple[int, int]): Clusters of a view in height and width.
        iterations (int): Of k-means.
        num_groups (Sequence[int]): Groups of each level, fine to coarse.
        num_layers (int): Of each encoder and decoder.
        num_heads (int): Of their attention.
        hidden_dims (int, optional): Width between their linear layers.
            Defaults to 2 C.
        dropout (float): In them.
        norm (str): 'LN', or 'BN' as published.
        num_views (int): Views of a picture, which follow one another.
        neighbors (int): Nearest nodes of each view that a node is linked to.
        concentration (float): kappa, of all contrasts, up to 40.
        region_weight (float): Weight of the contrast by regions.
        group_weight (float): Of that by groups, of each level.
        modularity_weight (float): Of 1 - modularity.
        collapse_weight (float): Of the collapse term. As it is relative to
            the nodes here, the published 1 would break groups of unequal
            size apart; that is for ``published_nodes``.
        center_weight (float): Of the contrast of centres.
        published_nodes (int, optional): Nodes are padded to so many, and the
            padding counts as in the published code (256 there).

    Raises:
        UserError: If C is odd or no multiple of the heads, ``norm`` is
            unknown, or ``concentration`` out of range.
    """

    def __init__(self,
                 in_dims: int = 384,
                 embed_dims: Optional[int] = 128,
                 grid: Tuple[int, int] = (8, 32),
                 seeds: Tuple[int, int] = (4, 4),
                 iterations: int = 15,
                 num_groups: Sequence[int] = (8, 4),
                 num_layers: int = 2,
                 num_heads: int = 4,
                 hidden_dims: Optional[int] = None,
                 dropout: float = 0.1,
                 norm: str = 'LN',
                 num_views: int = 2,
                 neighbors: int = 2,
                 concentration: float = 16.,
                 region_weight: float = 1.,
                 group_weight: float = 0.1,
                 modularity_weight: float = 1.,
                 collapse_weight: float = 0.05,
                 center_weight: float = 1.,
                 published_nodes: Optional[int] = None) -> None:
        super().__init__()
        dims = embed_dims or in_dims
        if dims % 2 or dims % num_heads:
            raise UserError(
                f'HierarchicalGroupingHead groups vectors of {dims} channels '
                f'by {num_heads} heads: give embed_dims=... an even multiple '
                'of num_heads')
        if not 0 < concentration <= MOST_CONCENTRATION:
            raise UserError(
                'concentration of HierarchicalGroupingHead is above 0 and up '
                f'to {MOST_CONCENTRATION:g}, got {concentration}')
        self.grid = (grid[0], grid[1])
        self.seeds, self.iterations = (seeds[0], seeds[1]), iterations
        self.num_views, self.neighbors = num_views, neighbors
        self.concentration = concentration
        self.weights = dict(
            regions=region_weight, groups=group_weight,
            modularity=modularity_weight, collapse=collapse_weight,
            centers=center_weight)
        self.published_nodes = published_nodes
        self.projector: nn.Module = nn.Identity()
        if embed_dims is not None:
            self.projector = nn.Sequential(
                nn.Linear(in_dims, in_dims, bias=False),
                SequenceNorm(in_dims, norm), nn.ReLU(),
                nn.Linear(in_dims, dims))
        self.row_places = nn.Embedding(grid[0], dims // 2)
        self.column_places = nn.Embedding(grid[1], dims // 2)
        self.levels = nn.ModuleList(
            ClusteringTransformer(
                dims, groups, num_layers, num_heads, hidden_dims or 2 * dims,
                dropout, norm, linked=number < len(num_groups),
                count_padding=published_nodes is not None)
            for number, groups in enumerate(num_groups, 1))

    def init_weights(self) -> None:
        """Positions from 0 to 1, as published; levels as DETR's."""
        super().init_weights()
        init_transformer(self.projector)
        level: Any
        for level in self.levels:
            level.init_weights()
        for table in (self.row_places, self.column_places):
            nn.init.uniform_(table.weight)

    def project(self, tokens: torch.Tensor) -> torch.Tensor:
        """Unit vectors (V, C, rows, columns) of patches (V, L, in_dims)."""
        vectors = F.normalize(full_precision(self.projector(tokens)), dim=2)
        return vectors.transpose(1, 2).unflatten(2, self.grid)

    def segment(self, features: torch.Tensor, region: torch.Tensor,
                valid: torch.Tensor) -> Segments:
        """Segments of unit vectors; see :func:`find_segments`."""
        with torch.autocast(features.device.type, enabled=False):
            return find_segments(features, region, valid, self.seeds,
                                 self.iterations, self.num_views)

    def group(self, segments: Segments) -> List[Level]:
        """Group segments, from the fine level to the coarse one.

        Raises:
            UserError: If a picture has more nodes than ``published_nodes``.
        """
        size = self._num_nodes(segments)
        real = segments.real_nodes(size)
        every = self.positions().expand(len(segments.where), -1, -1)
        positions = segments.as_nodes(
            segments.average(every[segments.where]), size).to(segments.means)
        nodes, places = segments.as_nodes(segments.means, size), positions
        padding: Optional[torch.Tensor] = ~real
        levels: List[Level] = []
        for transformer in self.levels:
            found = transformer(nodes, places, padding)
            probs = found.logits.softmax(dim=1)
            if levels:  # of nodes, by way of the level below
                probs = probs @ levels[-1].probs
            labels = probs.argmax(dim=1)
            levels.append(Level(probs, labels, found.centers, found.memory))
            members = F.one_hot(labels, probs.shape[1]).to(positions)
            members = (members * real[..., None]).transpose(1, 2)
            nodes, padding = found.links, None
            places = members @ positions / members.sum(
                dim=2, keepdim=True).clamp_min(1)
        return levels

    def loss(self, segments: Segments,
             levels: Sequence[Level]) -> Dict[str, torch.Tensor]:
        """Weighted losses ``loss_regions`` ... ``loss_centers``.

        Those of weight 0 are left out; each is the sum over levels.
        """
        return {f'loss_{name}': self.weights[name] * values.sum()
                for name, values in self.terms(segments, levels).items()}

    def terms(self, segments: Segments,
              levels: Sequence[Level]) -> Dict[str, torch.Tensor]:
        """What losses add up, without weights: for each level a number.

        Returns:
            Dict[str, torch.Tensor]: ``regions`` (1, ) and ``groups``,
            ``modularity``, ``collapse``, ``centers``, each (levels, ); those
            of weight 0 are left out.
        """
        used = {name for name, weight in self.weights.items() if weight}
        names = [segments.region + segments.picture * (
            int(segments.region.max()) + 1)] * ('regions' in used)
        if 'groups' in used:
            names += [level.labels[segments.picture, segments.node]
                      + segments.picture * level.probs.shape[1]
                      for level in levels]
        terms: Dict[str, torch.Tensor] = {}
        if names:
            found = contrast(segments.features, segments.of_pixel,
                             torch.stack(names), segments.means,
                             self.concentration)
            first = int('regions' in used)
            terms = dict(regions=found[:first], groups=found[first:])
        if used & {'modularity', 'collapse'}:
            terms.update(self._clustering(segments, levels))
        if 'centers' in used:
            terms['centers'] = torch.stack([
                center_contrast(level.centers, self.concentration)
                for level in levels])
        return {name: terms[name] for name in self.weights if name in used}

    def graph(self, segments: Segments) -> torch.Tensor:
        """The nearest nodes of each node, (N, M, M)."""
        size = self._num_nodes(segments)
        with torch.autocast(segments.means.device.type, enabled=False):
            return nearest_nodes(
                segments.as_nodes(segments.means.detach(), size),
                segments.as_nodes(segments.view % self.num_views, size),
                ~segments.real_nodes(size), self.num_views, self.neighbors)

    def pixel_groups(self, segments: Segments, level: Level) -> torch.Tensor:
        """The group of each token, (V, rows, columns); -1 where not valid."""
        groups = level.labels[segments.picture, segments.node]
        found = torch.full_like(segments.where, -1, dtype=torch.long)
        found[segments.where] = groups[segments.of_pixel]
        return found.unflatten(1, self.grid)

    def positions(self) -> torch.Tensor:
        """Learned positions of the grid, (rows * columns, C)."""
        rows, columns = self.grid
        return torch.cat([
            self.column_places.weight.expand(rows, -1, -1),
            self.row_places.weight[:, None].expand(-1, columns, -1)
        ], dim=2).flatten(0, 1)

    def _num_nodes(self, segments: Segments) -> int:
        """M: nodes of a picture, those that are none included."""
        most = segments.most_nodes()
        if self.published_nodes is None:
            return most
        if most > self.published_nodes:
            raise UserError(
                f'a picture has {most} segments, and published_nodes of the '
                f'HierarchicalGroupingHead is {self.published_nodes}: raise '
                'it, or leave it out')
        return self.published_nodes

    def _clustering(self, segments: Segments, levels: Sequence[Level]
                    ) -> Dict[str, torch.Tensor]:
        """Modularity and collapse of each level."""
        graph = self.graph(segments)
        real = segments.real_nodes(graph.shape[1])
        counts = real.sum(dim=1).clamp_min(1)
        if self.published_nodes is not None:
            counts = torch.full_like(counts, self.published_nodes)
        with torch.autocast(graph.device.type, enabled=False):
            probs = [full_precision(level.probs) * real[:, None]
                     for level in levels]
            return dict(
                modularity=torch.stack([
                    modularity_loss(each, graph,
                                    self.published_nodes is not None)
                    for each in probs]),
                collapse=torch.stack([
                    collapse_loss(each, counts) for each in probs]))
