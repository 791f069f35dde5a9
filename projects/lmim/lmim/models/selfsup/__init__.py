"""Methods of pre-training, one a file."""
from . import (ccd_checkpoints, dig_checkpoints,  # noqa: F401  (formats)
               ssm_checkpoints)
from .base import Prediction, SelfSup
from .ccd import CCD
from .dig import DiG
from .lmim import LMIM
from .mim import MIM
from .seqclr import SeqCLR
from .ssm import SSM

__all__ = [
    'CCD', 'DiG', 'LMIM', 'MIM', 'Prediction', 'SSM', 'SelfSup', 'SeqCLR'
]
