"""Recognizers and encoders for onnxruntime, without torch where they run."""
from .exporting import export

__all__ = ['export']
