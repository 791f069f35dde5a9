"""Encoders."""
from .masked_vit import MaskedViT
from .simmim_vit import SimMIMViT
from .text_vit import TextViT
from .vit_feature_map import ViTFeatureMap

__all__ = ['MaskedViT', 'SimMIMViT', 'TextViT', 'ViTFeatureMap']
