"""Parts of text recognizers."""
from .linear_encoder import LinearEncoder
from .parallel_decoder import ParallelDecoder
from .postprocessors import (CTCLanguagePostprocessor,
                             CTCWordScorePostprocessor, WordScorePostprocessor)
from .transformer_decoder import (KeysValues, TextTransformerDecoder,
                                  TextTransformerDecoderLayer)
from .word_loss import WordLoss

__all__ = [
    'CTCLanguagePostprocessor', 'CTCWordScorePostprocessor', 'KeysValues',
    'LinearEncoder',
    'ParallelDecoder', 'TextTransformerDecoder',
    'TextTransformerDecoderLayer', 'WordLoss', 'WordScorePostprocessor'
]
