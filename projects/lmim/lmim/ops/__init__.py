"""Operations on tensors that torch has not, or not everywhere."""
from .deform_conv import deform_conv2d, deform_conv_way
from .tracing import is_traced

__all__ = ['deform_conv2d', 'deform_conv_way', 'is_traced']
