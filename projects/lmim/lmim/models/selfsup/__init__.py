"""Methods of pre-training, one a file."""
from . import dig_checkpoints, ssm_checkpoints  # noqa: F401  (formats)
from .base import Prediction, SelfSup
from .dig import DiG
from .lmim import LMIM
from .mim import MIM
from .seqclr import SeqCLR
from .ssm import SSM

__all__ = [
    'DiG', 'LMIM', 'MIM', 'Prediction', 'SSM', 'SelfSup', 'SeqCLR'
]
