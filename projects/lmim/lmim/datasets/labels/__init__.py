"""What labels say, and whether a recognizer can learn them."""
from .reading import Label, innermost, iter_labels

__all__ = ['Label', 'innermost', 'iter_labels']
