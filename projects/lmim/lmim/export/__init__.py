"""Recognizers and encoders for onnxruntime, without torch where they run."""
from .errors import ExportError
from .exporting import Settings, export

__all__ = ['ExportError', 'Settings', 'export']
