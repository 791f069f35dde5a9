"""Parts of LMIM's recognizer."""
from .lmim_ctc_postprocessor import LMIMCTCPostprocessor
from .lmim_decoder import LMIMDecoder
from .lmim_decoder_layer import LMIMDecoderLayer
from .lmim_encoder import LMIMEncoder
from .lmim_module_loss import LMIMModuleLoss
from .lmim_parallel_decoder import LMIMParallelDecoder
from .lmim_postprocessor import LMIMPostprocessor

__all__ = [
    'LMIMCTCPostprocessor', 'LMIMDecoder', 'LMIMDecoderLayer', 'LMIMEncoder',
    'LMIMModuleLoss', 'LMIMParallelDecoder', 'LMIMPostprocessor'
]
