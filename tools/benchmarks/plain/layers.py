"""What transformers are made of, one plain operation after another."""
from typing import Dict, Optional

import torch
import torch.nn.functional as F

Weights = Dict[str, torch.Tensor]


def weights_of(model: torch.nn.Module) -> Weights:
    """Copies of a model's weights; those that are trained are leaves."""
    trained = {name for name, weight in model.named_parameters()
               if weight.requires_grad}
    return {name: weight.detach().clone().requires_grad_(name in trained)
            for name, weight in model.state_dict().items()}


def trained_groups(weights: Weights, decay: float = 0.05) -> list:
    """AdamW's groups: no decay on 1-D weights."""
    trained = [w for w in weights.values() if w.requires_grad]
    return [dict(params=[w for w in trained if w.ndim > 1],
                 weight_decay=decay),
            dict(params=[w for w in trained if w.ndim <= 1],
                 weight_decay=0.)]


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
