"""What is at work on a model beside torch itself."""
from typing import Any

import torch


def is_traced() -> bool:
    """Whether torch.compile, an export or a trace is at work.

    They know torch's own layers, and make fast code of them themselves.
    """
    compiler: Any = getattr(torch, 'compiler', None)
    compiling = (hasattr(compiler, 'is_compiling')  # since torch 2.1
                 and compiler.is_compiling())
    return compiling or torch.jit.is_tracing()
