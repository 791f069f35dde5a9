"""The text ViT."""
from typing import Optional

import torch
import torch.nn.functional as F

from .layers import Weights, attend, drop_path, linear, norm


def normalise(images: torch.Tensor) -> torch.Tensor:
    """Pixels (N, 3, H, W), uint8, BGR, as the models take them."""
    return (images[:, [2, 1, 0]].float() - 127.5) / 127.5


def embed(weights: Weights, name: str, images: torch.Tensor) -> torch.Tensor:
    """Patches with positions, (N, L, C), of images (N, 3, H, W)."""
    kernel = weights[f'{name}.patch_embed.projection.weight']
    patches = F.conv2d(
        images, kernel, weights[f'{name}.patch_embed.projection.bias'],
        stride=kernel.shape[2:])
    return (patches.flatten(2).transpose(1, 2)
            + weights[f'{name}.pos_embed'][:, 1:])


def encode(weights: Weights, name: str, patches: torch.Tensor, heads: int,
           drop: float = 0.) -> torch.Tensor:
    """[CLS] and patches after the final norm.

    Args:
        weights (Dict[str, torch.Tensor]): Of the model.
        name (str): That of the ViT in it.
        patches (torch.Tensor): With positions, (N, K, C).
        heads (int): Attention heads.
        drop (float): Dropout, of the attention's weights as well; that of
            whole branches grows from 0 to it from the first block on.

    Returns:
        torch.Tensor: (N, 1 + K, C).
    """
    cls = weights[f'{name}.cls_token'] + weights[f'{name}.pos_embed'][:, :1]
    x = torch.cat([cls.expand(len(patches), -1, -1), patches], dim=1)
    x = F.dropout(x, drop)
    layers = 1 + max(int(key.split('.layers.')[1].split('.')[0])
                     for key in weights if key.startswith(f'{name}.layers.'))
    for number in range(layers):
        block = f'{name}.layers.{number}'
        path = drop * number / max(1, layers - 1)
        y = norm(weights, f'{block}.ln1', x)
        query, keys, values = linear(
            weights, f'{block}.attn.qkv', y).chunk(3, dim=2)
        y = attend(query, keys, values, heads, drop=drop)
        y = F.dropout(linear(weights, f'{block}.attn.proj', y), drop)
        x = x + drop_path(y, path)
        y = linear(weights, f'{block}.ffn.layers.0.0',
                   norm(weights, f'{block}.ln2', x))
        y = F.dropout(F.gelu(y), drop)
        y = F.dropout(linear(weights, f'{block}.ffn.layers.1', y), drop)
        x = x + drop_path(y, path)
    return norm(weights, f'{name}.ln1', x)


def vit(weights: Weights, name: str, images: torch.Tensor, heads: int,
        drop: float = 0., kept: Optional[torch.Tensor] = None
        ) -> torch.Tensor:
    """Tokens (N, 1 + K, C) of images (N, 3, H, W), of the kept patches."""
    patches = embed(weights, name, images)
    if kept is not None:
        patches = torch.stack([mine[some]
                               for mine, some in zip(patches, kept)])
    return encode(weights, name, patches, heads, drop)
