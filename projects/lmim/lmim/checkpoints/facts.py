"""What weights tell of the model that they are of."""
from typing import Any, Dict, List, Optional

import torch
from torch import nn

from .conversion import PARTS, part_of
from .formats import ENCODER


def parts_of(weights: Dict[str, torch.Tensor]) -> Dict[str, Dict[str, int]]:
    """Count tensors and values of each part of a model.

    Args:
        weights (Dict[str, torch.Tensor]): Weights by our names.

    Returns:
        Dict[str, Dict[str, int]]: By part: ``tensors``, ``values``,
        ``bytes``.
    """
    counts: Dict[str, Dict[str, int]] = {}
    for name, value in weights.items():
        count = counts.setdefault(
            part_of(name), {'tensors': 0, 'values': 0, 'bytes': 0})
        count['tensors'] += 1
        count['values'] += value.numel()
        count['bytes'] += value.numel() * value.element_size()
    order: List[str] = [*PARTS.values()]
    return dict(sorted(counts.items(), key=lambda item: order.index(item[0])
                       if item[0] in order else len(order)))


def describe_encoder(weights: Dict[str, torch.Tensor],
                     model: Optional[nn.Module]) -> Dict[str, Any]:
    """Read the sizes of a ViT off its weights.

    Args:
        weights (Dict[str, torch.Tensor]): Weights by our names.
        model (nn.Module, optional): A model with such weights, which knows
            the rest.

    Returns:
        Dict[str, Any]: ``embed_dims``, ``num_layers``,
        ``feedforward_channels``, ``patch_size`` and ``num_patches``; with a
        model also ``num_heads``, ``img_size`` and ``grid``. Empty where
        there is no ViT.
    """
    own = {name[len(ENCODER):]: value for name, value in weights.items()
           if name.startswith(ENCODER)}
    needed = ('cls_token', 'pos_embed', 'patch_embed.projection.weight')
    if not all(name in own for name in needed):
        return {}
    facts: Dict[str, Any] = {
        'embed_dims': own['cls_token'].shape[-1],
        'num_layers': len({name.split('.')[1] for name in own
                           if name.startswith('layers.')}),
        'patch_size': list(own['patch_embed.projection.weight'].shape[-2:]),
        'num_patches': own['pos_embed'].shape[1] - 1,
    }
    hidden = own.get('layers.0.ffn.layers.0.0.bias')
    if hidden is not None:
        facts['feedforward_channels'] = len(hidden)
    vit: Any = getattr(model, 'backbone', None)
    if hasattr(vit, 'layers') and hasattr(vit, 'grid'):
        facts['num_heads'] = vit.layers[0].attn.num_heads
        facts['img_size'] = list(vit.img_size)
        facts['grid'] = list(vit.grid)
    return facts


def describe_text_decoder(
        weights: Dict[str, torch.Tensor]) -> Dict[str, Any]:
    """Read the sizes of a text decoder of transformer layers off its weights.

    Args:
        weights (Dict[str, torch.Tensor]): Weights by our names.

    Returns:
        Dict[str, Any]: ``classes``, ``embedded`` (rows of the embedding),
        ``embed_dims``, ``num_layers``; empty for a decoder of another kind.
    """
    embedding = weights.get('decoder.trg_word_emb.weight')
    classifier = weights.get('decoder.classifier.weight')
    if embedding is None or classifier is None:
        return {}
    start = 'decoder.layer_stack.'
    return {
        'classes': len(classifier),
        'embedded': len(embedding),
        'embed_dims': embedding.shape[1],
        'num_layers': len({name[len(start):].split('.')[0]
                           for name in weights if name.startswith(start)}),
    }
