"""Segments of feature maps, which are then grouped: HSG's first step."""
from typing import NamedTuple, Optional, Tuple

import torch
import torch.nn.functional as F


def full_precision(values: torch.Tensor) -> torch.Tensor:
    """At least float32: similarities are not computed in less."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def grid_labels(grid: Tuple[int, int], seeds: Tuple[int, int],
                device: Optional[torch.device] = None) -> torch.Tensor:
    """Cut a grid into rectangles, the first labels of k-means.

    Args:
        grid (Tuple[int, int]): Rows and columns.
        seeds (Tuple[int, int]): Rectangles in height and width, at most.
        device (torch.device, optional): Where labels are to be.

    Returns:
        torch.Tensor: (rows * columns), int64, numbered without gaps column by
        column of rectangles.
    """
    rows, columns = (
        torch.linspace(0, count - 1, side, device=device).round().long()
        for count, side in zip(seeds, grid))
    labels = rows[:, None] + (rows.max() + 1) * columns
    return torch.unique(labels, return_inverse=True)[1].flatten()


def with_places(features: torch.Tensor) -> torch.Tensor:
    """Unit vectors of features and their places: unit([v; y; x]).

    Args:
        features (torch.Tensor): Unit vectors, (V, C, rows, columns).

    Returns:
        torch.Tensor: (V, rows * columns, C + 2); y and x are from -0.5 to
        0.5.
    """
    sides = [torch.linspace(0, 1, side, dtype=features.dtype,
                            device=features.device) - 0.5
             for side in features.shape[2:]]
    places = torch.stack(torch.meshgrid(*sides, indexing='ij'))
    both = torch.cat([features, places.expand(len(features), -1, -1, -1)], 1)
    return F.normalize(both.flatten(2).transpose(1, 2), dim=2)


@torch.no_grad()
def spherical_kmeans(vectors: torch.Tensor, labels: torch.Tensor,
                     iterations: int,
                     valid: Optional[torch.Tensor] = None) -> torch.Tensor:
    """Cluster unit vectors of each picture by their cosines.

    A centre is the mean direction of its members; one without members stays
    at zero, at a cosine of 0 to everything.

    Args:
        vectors (torch.Tensor): (V, L, C) of V pictures, clustered each by
            itself and all at once.
        labels (torch.Tensor): First labels, int64, (L), from 0.
        iterations (int): Times that centres are taken anew.
        valid (torch.Tensor, optional): Which vectors count, bool, (V, L).

    Returns:
        torch.Tensor: Labels, int64, (V, L).
    """
    count = int(labels.max()) + 1
    labels = labels.expand(vectors.shape[:2])
    for _ in range(iterations):
        members = F.one_hot(labels, count).to(vectors)
        if valid is not None:
            members = members * valid[..., None]
        centers = F.normalize(members.transpose(1, 2) @ vectors, dim=2)
        labels = (vectors @ centers.transpose(1, 2)).argmax(dim=2)
    return labels


class Segments(NamedTuple):
    """Parts of views that are alike and of one region.

    P pixels of all views that are valid, view by view and row by row, are of
    S segments, sorted by view, k-means label and region. Segments of all
    views of a picture are the nodes of its graph.

    Attributes:
        features (torch.Tensor): Unit vectors of the pixels, (P, C).
        of_pixel (torch.Tensor): The segment of each pixel, (P, ).
        where (torch.Tensor): Which pixels they are, bool, (V, L).
        means (torch.Tensor): Mean direction of each segment, (S, C).
        view (torch.Tensor): (S, ).
        region (torch.Tensor): (S, ).
        picture (torch.Tensor): (S, ).
        node (torch.Tensor): Its number within its picture, (S, ).
        num_pictures (int): N; V is a multiple of it.
    """
    features: torch.Tensor
    of_pixel: torch.Tensor
    where: torch.Tensor
    means: torch.Tensor
    view: torch.Tensor
    region: torch.Tensor
    picture: torch.Tensor
    node: torch.Tensor
    num_pictures: int

    def average(self, values: torch.Tensor) -> torch.Tensor:
        """Mean over each segment, (S, C), of values of pixels, (P, C)."""
        return (_sum_over(values, self.of_pixel, len(self.view))
                / self.of_pixel.bincount()[:, None].to(values))

    def as_nodes(self, values: torch.Tensor, padding: int) -> torch.Tensor:
        """Values of segments (S, ...) by pictures, (N, padding, ...).

        Where there is no segment, they are zero.
        """
        shape = (self.num_pictures, padding, *values.shape[1:])
        return values.new_zeros(shape).index_put(
            (self.picture, self.node), values)

    def real_nodes(self, padding: int) -> torch.Tensor:
        """Which nodes are segments, bool, (N, padding)."""
        return self.as_nodes(torch.ones_like(self.node), padding) > 0

    def most_nodes(self) -> int:
        """Segments of the picture that has most."""
        return int(self.node.max()) + 1


def find_segments(features: torch.Tensor,
                  region: torch.Tensor,
                  valid: torch.Tensor,
                  seeds: Tuple[int, int] = (4, 4),
                  iterations: int = 15,
                  num_views: int = 2) -> Segments:
    """Cluster the pixels of each view, and cut clusters by regions.

    Args:
        features (torch.Tensor): Unit vectors, (V, C, rows, columns), where
            the views of a picture follow one another.
        region (torch.Tensor): Regions, numbered from 0, alike in all views
            of a picture, int64, (V, rows, columns).
        valid (torch.Tensor): Which pixels show the picture, bool, (V, rows,
            columns).
        seeds (Tuple[int, int]): Clusters in height and width at first.
        iterations (int): Of k-means.
        num_views (int): Views of a picture.
    """
    where, region = valid.flatten(1), region.flatten(1)
    seeded = grid_labels((features.shape[2], features.shape[3]), seeds,
                         features.device)
    labels = spherical_kmeans(with_places(features.detach()), seeded,
                              iterations, where)
    # One number for view, label and region, in this order.
    regions = region.max() + 1
    views = torch.arange(len(where), device=where.device)[:, None]
    numbers = (views * (seeded.max() + 1) + labels) * regions + region
    found, of_pixel = torch.unique(numbers[where], return_inverse=True)
    pixels = features.flatten(2).transpose(1, 2)[where]
    view = found // regions // (seeded.max() + 1)
    picture, count = view // num_views, len(where) // num_views
    nodes = picture.bincount(minlength=count)
    return Segments(
        pixels, of_pixel, where,
        F.normalize(_sum_over(pixels, of_pixel, len(found)), dim=1),
        view, found % regions, picture,
        torch.arange(len(found), device=where.device)
        - (nodes.cumsum(0) - nodes)[picture], count)


def _sum_over(values: torch.Tensor, at: torch.Tensor,
              count: int) -> torch.Tensor:
    """Sums of values (P, C) that are at the same place, (count, C)."""
    return values.new_zeros(count, values.shape[1]).index_add(0, at, values)
