"""Encoders."""
from .masked_vit import MaskedViT
from .text_vit import TextViT
from .vit_feature_map import ViTFeatureMap

__all__ = ['MaskedViT', 'TextViT', 'ViTFeatureMap']
