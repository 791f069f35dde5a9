"""Recognizers and encoders for onnxruntime, without torch where they run."""
from .exporting import Settings, export

__all__ = ['Settings', 'export']
