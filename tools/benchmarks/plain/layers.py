"""The text ViT and its layers, one plain operation after another."""
from contextlib import nullcontext
from typing import Any, Callable, ContextManager, Dict, Optional, Tuple

import torch
import torch.nn.functional as F

Weights = Dict[str, torch.Tensor]


def weights_of(model: torch.nn.Module) -> Weights:
    """Copies of a model's weights; those that are trained are leaves."""
    trained = {name for name, weight in model.named_parameters()
               if weight.requires_grad}
    return {name: weight.detach().clone().requires_grad_(name in trained)
            for name, weight in model.state_dict().items()}


class Plain:
    """A model by plain operations in fp32, with AdamW tensor by tensor.

    Args:
        weights (Dict[str, torch.Tensor]): Those of ours, by their names.
        heads (int): Attention heads of the encoder.
        lr (float): The learning rate of AdamW.
        betas (Tuple[float, float]): Its betas.
    """

    def __init__(self, weights: Weights, heads: int, lr: float,
                 betas: Tuple[float, float]) -> None:
        self.weights, self.heads = weights, heads
        trained = [w for w in weights.values() if w.requires_grad]
        self.optimizer = torch.optim.AdamW(
            [dict(params=[w for w in trained if w.ndim > 1],
                  weight_decay=0.05),
             dict(params=[w for w in trained if w.ndim <= 1],
                  weight_decay=0.)], lr=lr, betas=betas, foreach=False)

    def losses(self, *batch: Any, drop: float = 0.1) -> Weights:
        """The losses of a batch, with some dropout."""
        raise NotImplementedError

    def step(self, *batch: Any,
             context: Callable[[], ContextManager] = nullcontext) -> None:
        """Losses in some context, gradients, new weights."""
        with context():
            losses = self.losses(*batch)
        self.optimizer.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        self.optimizer.step()


def linear(weights: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    """The linear layer of that name, over the last axis of x (..., C)."""
    return F.linear(x, weights[f'{name}.weight'],
                    weights.get(f'{name}.bias'))


def norm(weights: Weights, name: str, x: torch.Tensor,
         eps: float = 1e-6) -> torch.Tensor:
    """The layer norm of that name, over the last axis of x (..., C)."""
    return F.layer_norm(x, x.shape[-1:], weights[f'{name}.weight'],
                        weights[f'{name}.bias'], eps)


def attend(query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor,
           heads: int, mask: Optional[torch.Tensor] = None,
           drop: float = 0.) -> torch.Tensor:
    """softmax(Q K^T / sqrt(d)) V, with all weights in memory.

    Args:
        query (torch.Tensor): (N, T, C).
        keys (torch.Tensor): (N, S, C).
        values (torch.Tensor): (N, S, C).
        heads (int): Attention heads.
        mask (torch.Tensor, optional): True where a key is seen, (N, T, S).
        drop (float): Dropout of the weights.

    Returns:
        torch.Tensor: (N, T, C).
    """
    query, keys, values = (
        x.unflatten(2, (heads, -1)).transpose(1, 2)
        for x in (query, keys, values))
    scores = query @ keys.transpose(2, 3) / query.shape[3]**0.5
    if mask is not None:
        scores = scores.masked_fill(~mask[:, None], float('-inf'))
    shares = F.dropout(scores.softmax(dim=-1), drop)
    return (shares @ values).transpose(1, 2).flatten(2)


def drop_path(x: torch.Tensor, rate: float) -> torch.Tensor:
    """Leave out a whole branch x (N, T, C) of some of the images."""
    if rate == 0:
        return x
    keep = torch.rand(len(x), 1, 1, device=x.device) >= rate
    return x * keep / (1 - rate)


def normalise(images: torch.Tensor) -> torch.Tensor:
    """Pixels (N, 3, H, W), uint8, BGR, as the models take them."""
    return (images[:, [2, 1, 0]].float() - 127.5) / 127.5


def vit(weights: Weights, name: str, images: torch.Tensor, heads: int,
        drop: float = 0., kept: Optional[torch.Tensor] = None
        ) -> torch.Tensor:
    """[CLS] and patches after the final norm.

    Args:
        weights (Dict[str, torch.Tensor]): Of the model.
        name (str): That of the ViT in it.
        images (torch.Tensor): Normalised, (N, 3, H, W).
        heads (int): Attention heads.
        drop (float): Dropout, of the attention's weights as well; that of
            whole branches grows from 0 to it from the first block on.
        kept (torch.Tensor, optional): The patches that are seen, (N, K).

    Returns:
        torch.Tensor: (N, 1 + K, C).
    """
    kernel = weights[f'{name}.patch_embed.projection.weight']
    patches = F.conv2d(
        images, kernel, weights[f'{name}.patch_embed.projection.bias'],
        stride=kernel.shape[2:]).flatten(2).transpose(1, 2)
    patches = patches + weights[f'{name}.pos_embed'][:, 1:]
    if kept is not None:
        patches = torch.stack([mine[some]
                               for mine, some in zip(patches, kept)])
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
