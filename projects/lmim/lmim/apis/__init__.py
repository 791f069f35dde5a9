"""From checkpoints to models, and reading words with them."""
from .loading import load_encoder, load_pretrained, load_recognizer
from .recognition import Recognition
from .recognizer import TextRecognizer

__all__ = [
    'Recognition', 'TextRecognizer', 'load_encoder', 'load_pretrained',
    'load_recognizer'
]
