"""Losses of groups of segments: HSG's third step."""
import torch
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint

from ..layers.segments import full_precision

#: Rows of similarities that are held at once.
ROWS = 8192
#: The largest concentration whose weights single precision has.
MOST_CONCENTRATION = 40.


def contrast(features: torch.Tensor, own: torch.Tensor,
             labels: torch.Tensor, means: torch.Tensor,
             concentration: float = 16.) -> torch.Tensor:
    """Draw vectors to segments of their label, away from all others.

    For each vector v of segment s, with ``e_j = exp(kappa v . mean_j)``:
    ``-log(near / (near + far))``, where ``near`` sums e_j over the other
    segments of the same label (it is e_s if there are none) and ``far`` over
    those of other labels (HSG, arXiv 2204.11432, as its code has it). s is
    left out by a mask: the difference of two sums that the code takes cancels
    in single precision.

    Args:
        features (torch.Tensor): Unit vectors, (P, C).
        own (torch.Tensor): The segment of each, (P, ).
        labels (torch.Tensor): The label of each segment, (S, ), or several
            of each, (T, S).
        means (torch.Tensor): Unit vectors of the segments, (S, C).
        concentration (float): kappa, up to 40.

    Returns:
        torch.Tensor: The mean over vectors, a scalar, or (T, ).
    """
    with torch.autocast(features.device.type, enabled=False):
        features, means = full_precision(features), full_precision(means)
        every = labels if labels.dim() > 1 else labels[None]
        parts = [(rows, at, means, every, concentration) for rows, at in
                 zip(features.split(ROWS), own.split(ROWS))]
        if len(parts) == 1:
            total = _sum_of_terms(*parts[0])
        else:  # what is large is computed again for its gradients
            total = torch.stack([
                checkpoint(_sum_of_terms, *part, use_reentrant=False)
                for part in parts]).sum(dim=0)
        return (total / len(features)).view(labels.shape[:-1])


def _sum_of_terms(features: torch.Tensor, own: torch.Tensor,
                  means: torch.Tensor, labels: torch.Tensor,
                  concentration: float) -> torch.Tensor:
    """The sum over vectors of the contrast by each of T labels, (T, )."""
    # At most 1, at least exp(-2 kappa).
    weights = (concentration * (features @ means.T - 1)).exp()
    itself = F.one_hot(own, len(means)).bool()
    sums = []
    for names in labels:
        same = names[own][:, None] == names
        near = same & ~itself
        near = near | (itself & ~near.any(dim=1, keepdim=True))
        near, far = ((weights * some).sum(dim=1) for some in (near, ~same))
        sums.append((far / near).log1p().sum())
    return torch.stack(sums)


@torch.no_grad()
def nearest_nodes(nodes: torch.Tensor, view: torch.Tensor,
                  padding: torch.Tensor, num_views: int,
                  neighbors: int = 2) -> torch.Tensor:
    """The graph of nodes: each one's nearest in each view, by cosine.

    Args:
        nodes (torch.Tensor): Unit vectors, (N, M, C).
        view (torch.Tensor): The view of each, from 0, (N, M).
        padding (torch.Tensor): Which are none, bool, (N, M).
        num_views (int): Views of a picture.
        neighbors (int): Nearest of each view; those that are as near count
            too, and a node itself does not, unless it is alone.

    Returns:
        torch.Tensor: 1 from a node (row) to its neighbours, (N, M, M); it is
        not symmetric.
    """
    cosines = nodes @ nodes.transpose(1, 2)
    count = nodes.shape[1]
    alone = (~padding).sum(dim=1) == 1
    itself = torch.eye(count, dtype=torch.bool, device=nodes.device)
    allowed = ~(padding[:, :, None] | padding[:, None])
    allowed = allowed & (alone[:, None, None] | ~itself)
    graph = torch.zeros_like(cosines)
    for number in range(num_views):
        here = allowed & (view == number)[:, None]
        found = cosines.masked_fill(~here, -2.)
        least = found.topk(min(neighbors, count), dim=2).values[..., -1:]
        graph = torch.where(here & (found >= least), 1., graph)
    return graph


def modularity_loss(probs: torch.Tensor, graph: torch.Tensor,
                    halved: bool = False) -> torch.Tensor:
    """1 - modularity of soft groups (DMoN, arXiv 2006.16904, equation 6).

    ``1 - (tr(P A P') - |P d|^2 / 2m) / 2m`` with d the sums of rows and 2m
    their sum; the mean over pictures.

    Args:
        probs (torch.Tensor): P, (N, K, M), zero for nodes that are none.
        graph (torch.Tensor): A, (N, M, M).
        halved (bool): As HSG's code has it, with 4m for 2m, which is weaker.
    """
    degrees = graph.sum(dim=2)
    twice = degrees.sum(dim=1).clamp_min(1) * (2 if halved else 1)
    inside = ((probs @ graph) * probs).sum(dim=(1, 2))
    expected = (probs @ degrees[..., None]).square().sum(dim=(1, 2)) / twice
    return (1 - (inside - expected) / twice).mean()


def collapse_loss(probs: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """Keep nodes from one group: sqrt(K) |sum_i P_i| / nodes (DMoN).

    It is 1 where groups are equally large and sqrt(K) where one has all.

    Args:
        probs (torch.Tensor): (N, K, M), zero for nodes that are none.
        counts (torch.Tensor): Nodes of each picture, (N, ), or more.
    """
    sizes = probs.sum(dim=2).norm(dim=1)
    return (probs.shape[1]**0.5 * sizes / counts).mean()


def center_contrast(centers: torch.Tensor,
                    concentration: float = 16.) -> torch.Tensor:
    """Keep the centres (N, K, C) of a batch apart from one another."""
    rows = F.normalize(full_precision(centers.flatten(0, 1)), dim=1)
    each = torch.arange(len(rows), device=rows.device)
    return contrast(rows, each, each, rows, concentration)
