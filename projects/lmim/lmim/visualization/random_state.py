"""Leave random numbers as they were."""
import random
import sys
from contextlib import contextmanager
from typing import Any, Iterator, Optional

import numpy as np
import torch


@contextmanager
def random_state_kept(seed: Optional[int] = None) -> Iterator[None]:
    """Draw as one likes; afterwards nothing has been drawn.

    The generators of Python, NumPy and torch (on the CPU, and on GPUs that
    are in use) are put back, and imgaug's where it is imported.

    Args:
        seed (int, optional): Given to all of them meanwhile.
    """
    python, numpy = random.getstate(), np.random.get_state()
    imgaug: Any = getattr(sys.modules.get('imgaug'), 'random', None)
    shared = imgaug and imgaug.GLOBAL_RNG  # None before its first use
    drawn = shared and imgaug.get_generator_state(shared.generator)
    devices = (range(torch.cuda.device_count())
               if torch.cuda.is_initialized() else [])
    with torch.random.fork_rng(devices):
        if seed is not None:
            if imgaug:
                imgaug.seed(seed)  # its first use draws from NumPy
            random.seed(seed)
            np.random.seed(seed)
            torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)
            if imgaug:
                imgaug.GLOBAL_RNG = shared
                if shared:
                    imgaug.set_generator_state_(shared.generator, drawn)
