"""Encoders."""
from .masked_vit import MaskedViT
from .text_vit import TextViT

__all__ = ['MaskedViT', 'TextViT']
