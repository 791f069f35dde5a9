"""Methods of pre-training, one a file."""
from . import (ccd_checkpoints, darling_checkpoints,  # noqa: F401  (formats)
               dig_checkpoints, ssm_checkpoints)
from .base import Prediction, SelfSup
from .ccd import CCD
from .darling import DARLING
from .dig import DiG
from .hsg import HSG
from .lmim import LMIM
from .mim import MIM
from .odm import ODM
from .seqclr import SeqCLR
from .ssm import SSM

__all__ = [
    'CCD', 'DARLING', 'DiG', 'HSG', 'LMIM', 'MIM', 'ODM', 'Prediction', 'SSM',
    'SelfSup', 'SeqCLR'
]
