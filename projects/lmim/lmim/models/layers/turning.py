"""Images that are flipped or turned by 180 degrees."""
import torch

#: By their numbers; None is the image as it is.
DIRECTIONS = (None, 'horizontal', 'vertical', 'both')


def turn(images: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """Turn each of (N, 3, H, W), by its number in :data:`DIRECTIONS`."""
    turned = torch.stack([images, images.flip(3), images.flip(2),
                          images.flip(2, 3)])
    return turned[direction, torch.arange(len(images), device=images.device)]
