"""Encoders."""
from .content_vit import ContentViT
from .masked_vit import MaskedViT
from .simmim_vit import SimMIMViT
from .text_vit import TextViT
from .vit_feature_map import ViTFeatureMap

__all__ = ['ContentViT', 'MaskedViT', 'SimMIMViT', 'TextViT', 'ViTFeatureMap']
