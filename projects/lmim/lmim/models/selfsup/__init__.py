"""Methods of pre-training, one a file."""
from .base import Prediction, SelfSup
from .lmim import LMIM
from .mim import MIM
from .seqclr import SeqCLR

__all__ = ['LMIM', 'MIM', 'Prediction', 'SelfSup', 'SeqCLR']
