"""Parts of text recognizers."""
from .any_width import AnyWidthRecognizer, numbers_by_size
from .attention_refinement import AttentionRefinement, Coverage
from .glyph_attention import GlyphAttentionHead, GlyphAttentionRecognizer
from .glyph_losses import GlyphLoss, ImplicitAlignmentLoss
from .in_context import InContextRecognizer
from .linear_encoder import LinearEncoder
from .parallel_decoder import ParallelDecoder
from .postprocessors import (CTCLanguagePostprocessor,
                             CTCWordScorePostprocessor, WordScorePostprocessor)
from .prompt_pool import Prompt, PromptPool
from .transformer_decoder import (EarlierWords, KeysValues,
                                  TextTransformerDecoder,
                                  TextTransformerDecoderLayer)
from .word_loss import WordLoss

__all__ = [
    'AnyWidthRecognizer', 'AttentionRefinement', 'CTCLanguagePostprocessor',
    'CTCWordScorePostprocessor', 'Coverage', 'EarlierWords',
    'GlyphAttentionHead', 'GlyphAttentionRecognizer', 'GlyphLoss',
    'ImplicitAlignmentLoss', 'InContextRecognizer', 'KeysValues',
    'LinearEncoder', 'ParallelDecoder', 'Prompt', 'PromptPool',
    'TextTransformerDecoder',
    'TextTransformerDecoderLayer', 'WordLoss', 'WordScorePostprocessor',
    'numbers_by_size'
]
