"""Reading words with a trained recognizer."""
from .loading import load_recognizer
from .recognition import Recognition
from .recognizer import TextRecognizer

__all__ = ['Recognition', 'TextRecognizer', 'load_recognizer']
