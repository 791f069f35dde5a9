"""Parts of LMIM's recognizer."""
from .ctc_postprocessor import LMIMCTCPostprocessor
from .transformer_decoder import LMIMDecoder
from .transformer_decoder_layer import LMIMDecoderLayer
from .linear_encoder import LMIMEncoder
from .word_loss import LMIMModuleLoss
from .parallel_decoder import LMIMParallelDecoder
from .postprocessors import LMIMPostprocessor

__all__ = [
    'LMIMCTCPostprocessor', 'LMIMDecoder', 'LMIMDecoderLayer', 'LMIMEncoder',
    'LMIMModuleLoss', 'LMIMParallelDecoder', 'LMIMPostprocessor'
]
