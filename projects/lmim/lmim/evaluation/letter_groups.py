"""Which encoders tell letters apart by themselves: groups of frozen tokens."""
import copy
import math
from typing import Dict, List, Mapping, NamedTuple, Sequence, Tuple

import numpy as np
import torch
import torch.nn.functional as F

from lmim.models.backbones import TextViT
from lmim.models.heads import HierarchicalGroupingHead
from lmim.models.layers.segments import (grid_labels, spherical_kmeans,
                                         with_places)
from lmim.utils.errors import UserError
from lmim.utils.log import quiet
from .partitions import score_groups
from .probes import ProbeWords, encode_words

RANDOM = 'random encoder'
#: Words of a step, the largest rate, and iterations of k-means.
BATCH, RATE, ITERATIONS = 32, 2e-3, 15
#: Weight of collapse: letters of a word are of about one size.
COLLAPSE = 0.3
#: Segments of a word in height and width, at most.
SEEDS = (4, 16)


class Grouped(NamedTuple):
    """One way to group the patches of words, and how it agrees with letters.

    Attributes:
        features (str): What was grouped: the name of a checkpoint ...
        method (str): 'HSG', 'k-means', 'equal widths' or 'letters'.
        groups (int): At most so many in a word; 0 where as many as letters.
        ari (float): Adjusted Rand index over ink.
        iou (float): Mean IoU of letters over ink.
        maps (np.ndarray): The group of each pixel, (N, H, W).
    """
    features: str
    method: str
    groups: int
    ari: float
    iou: float
    maps: np.ndarray


def fit_head(patches: torch.Tensor, grid: Tuple[int, int],
             groups: Sequence[int] = (8, 4), steps: int = 200,
             seed: int = 0) -> HierarchicalGroupingHead:
    """Train a grouping head on frozen patches, without labels or regions.

    Patches are what is grouped, and get no gradients: of HSG's losses
    modularity, collapse and the contrast of centres remain.

    Args:
        patches (torch.Tensor): (N, L, C), each picture's mean taken off.
        grid (Tuple[int, int]): Rows and columns of L.
        groups (Sequence[int]): Of each level.
        steps (int): Of Adam, with a warm-up and a cosine.
        seed (int): Of weights and batches.

    Returns:
        HierarchicalGroupingHead: In eval mode.
    """
    dims = patches.shape[2]
    with torch.random.fork_rng([]), torch.enable_grad():
        torch.manual_seed(seed)
        head = HierarchicalGroupingHead(
            dims, None, grid, (min(SEEDS[0], grid[0]), min(SEEDS[1], grid[1])),
            ITERATIONS, groups, num_layers=1, hidden_dims=dims, num_views=1,
            region_weight=0., group_weight=0., collapse_weight=COLLAPSE)
        with quiet():
            head.init_weights()
        head.train()
        optimizer = torch.optim.AdamW(head.parameters(), RATE)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: min(10 * (step + 1) / steps, 1)
            * (1 + math.cos(math.pi * step / steps)) / 2)
        for _ in range(steps):
            some = patches[torch.randint(len(patches), (BATCH, ))]
            losses = head.loss(*_group(head, some))
            optimizer.zero_grad()
            torch.stack(list(losses.values())).sum().backward()
            torch.nn.utils.clip_grad_norm_(head.parameters(), 1.)
            optimizer.step()
            schedule.step()
    return head.eval()


def _group(head: HierarchicalGroupingHead, patches: torch.Tensor) -> Tuple:
    """Segments and levels of patches (N, L, C) of one region."""
    features = head.project(patches)
    everywhere = torch.zeros_like(features[:, 0], dtype=torch.long)
    segments = head.segment(features, everywhere, everywhere == 0)
    return segments, head.group(segments)


@torch.no_grad()
def head_groups(head: HierarchicalGroupingHead,
                patches: torch.Tensor) -> List[torch.Tensor]:
    """The group of each patch on each level, (N, rows, columns)."""
    segments, levels = _group(head, patches)
    return [head.pixel_groups(segments, level) for level in levels]


def kmeans_groups(patches: torch.Tensor, grid: Tuple[int, int],
                  count: int) -> torch.Tensor:
    """Clusters of patches (N, L, C) by themselves, (N, rows, columns).

    As HSG's segments, with places, from rectangles of equal width.
    """
    vectors = F.normalize(patches, dim=2).transpose(1, 2).unflatten(2, grid)
    labels = spherical_kmeans(with_places(vectors),
                              grid_labels(grid, (1, count)), ITERATIONS)
    return labels.unflatten(1, grid)


def patch_letters(letters: np.ndarray, grid: Tuple[int, int]) -> torch.Tensor:
    """The letter that each patch shows most of, (N, rows, columns)."""
    shown = torch.from_numpy(letters.astype(np.int64))
    numbers = torch.arange(1, int(shown.max()) + 1)
    return F.adaptive_avg_pool2d(
        (shown[:, None] == numbers[:, None, None]).float(), grid).argmax(1)


def compare_groups(encoders: Mapping[str, TextViT], train: ProbeWords,
                   test: ProbeWords, groups: Sequence[int] = (8, 4),
                   steps: int = 200, seed: int = 0) -> List[Grouped]:
    """Group the patches of words by what encoders make of them.

    Args:
        encoders (Mapping[str, TextViT]): By name, in eval mode, of one image
            size.
        train (ProbeWords): Words that heads are trained on.
        test (ProbeWords): Words that are grouped and scored.
        groups (Sequence[int]): Of HSG's levels, and of k-means.
        steps (int): Of each head's training.
        seed (int): Of heads and of the random encoder.

    Returns:
        List[Grouped]: HSG's groups and k-means of each encoder; of a random
        one of the first one's kind; k-means of mean colours; equal widths;
        and the letters themselves, at the resolution of the patches.

    Raises:
        UserError: If groups do not become fewer from level to level, or are
            more than the columns of patches.
    """
    columns = min(encoder.grid[1] for encoder in encoders.values())
    if list(groups) != sorted(set(groups), reverse=True) or (
            groups[0] > columns):
        raise UserError('groups are fine to coarse, fewer from level to level '
                        f'and at most {columns}, the columns of patches: not '
                        f'{list(groups)}')
    first = next(iter(encoders.values()))
    grid = (first.grid[0], first.grid[1])
    found: List[Grouped] = []

    def add(features: str, method: str, count: int,
            labels: torch.Tensor) -> None:
        rows, across = labels.shape[1:]
        maps = labels.expand(len(test.letters), -1, -1).numpy().repeat(
            test.letters.shape[1] // rows, 1).repeat(
                test.letters.shape[2] // across, 2)
        found.append(Grouped(features, method, count,
                             *score_groups(maps, test.letters), maps))

    for name, encoder in {**encoders, RANDOM: _redrawn(first, seed)}.items():
        own = (encoder.grid[0], encoder.grid[1])
        seen, new = (encode_words(encoder, words.images)[
            :, encoder.num_extra_tokens:].cpu() for words in (train, test))
        # What patches of a picture share tells none of them apart, and where
        # it is most of them, all queries of a head come to find the same.
        seen, new = (each - each.mean(dim=1, keepdim=True)
                     for each in (seen, new))
        head = fit_head(seen, own, groups, steps, seed)
        for count, labels in zip(groups, head_groups(head, new)):
            add(name, 'HSG', count, labels)
        for count in groups:
            add(name, 'k-means', count, kmeans_groups(new, own, count))
    colors = F.adaptive_avg_pool2d(torch.from_numpy(
        test.images).permute(0, 3, 1, 2).float(), grid)
    colors = colors.flatten(2).transpose(1, 2)
    for count in groups:
        add('colours', 'k-means', count, kmeans_groups(
            colors - colors.mean(dim=1, keepdim=True), grid, count))
    for count in groups:
        add('', 'equal widths', count,
            grid_labels(grid, (1, count)).view(1, *grid))
    add('', 'letters', 0, patch_letters(test.letters, grid))
    return found


def _redrawn(encoder: TextViT, seed: int) -> TextViT:
    """An encoder of the same kind with random weights."""
    other = copy.deepcopy(encoder)
    other.init_cfg = None
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        with quiet():
            other.init_weights()
    return other.eval()


def scores(found: Sequence[Grouped]) -> List[Dict[str, object]]:
    """The figures of groups, without their maps."""
    return [{name: value for name, value in each._asdict().items()
             if name != 'maps'} for each in found]
