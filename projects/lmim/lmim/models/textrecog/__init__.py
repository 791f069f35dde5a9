"""Parts of text recognizers."""
from .any_width import AnyWidthRecognizer, numbers_by_size
from .attention_refinement import AttentionRefinement, Coverage
from .glyph_attention import GlyphAttentionHead, GlyphAttentionRecognizer
from .glyph_losses import GlyphLoss, ImplicitAlignmentLoss
from .linear_encoder import LinearEncoder
from .parallel_decoder import ParallelDecoder
from .postprocessors import (CTCLanguagePostprocessor,
                             CTCWordScorePostprocessor, WordScorePostprocessor)
from .transformer_decoder import (KeysValues, TextTransformerDecoder,
                                  TextTransformerDecoderLayer)
from .word_loss import WordLoss

__all__ = [
    'AnyWidthRecognizer', 'AttentionRefinement', 'CTCLanguagePostprocessor',
    'CTCWordScorePostprocessor', 'Coverage', 'GlyphAttentionHead',
    'GlyphAttentionRecognizer', 'GlyphLoss', 'ImplicitAlignmentLoss',
    'KeysValues', 'LinearEncoder', 'ParallelDecoder', 'TextTransformerDecoder',
    'TextTransformerDecoderLayer', 'WordLoss', 'WordScorePostprocessor',
    'numbers_by_size'
]
