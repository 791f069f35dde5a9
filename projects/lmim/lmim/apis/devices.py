"""Where and in which precision to compute."""
from typing import Dict, Optional

import torch
from mmengine.device import get_device

PRECISIONS: Dict[str, Optional[torch.dtype]] = {
    'fp32': None,
    'bf16': torch.bfloat16,
    'fp16': torch.float16,
}


def usable_device(name: Optional[str]) -> torch.device:
    """The device of a name, if the machine has it.

    Args:
        name (str, optional): Such as 'cuda:0'; None for a GPU where there is
            one, else the CPU.

    Raises:
        ValueError: If not.
    """
    try:
        device = torch.device(name or get_device())
        torch.empty(1, device=device)
    # Each kind of device has errors of its own.
    except Exception as error:
        reason = str(error).strip().split('\n')[0]
        raise ValueError(
            f'device {name} cannot be used ({reason}): --device cpu'
        ) from error
    return device


def usable_precision(name: str,
                      device: torch.device) -> Optional[torch.dtype]:
    """The type of autocast, None for none.

    Args:
        name (str): One of :data:`PRECISIONS`.
        device (torch.device): Where it is to be computed.

    Raises:
        ValueError: If it is not known, or the device has none of it.
    """
    if name not in PRECISIONS:
        raise ValueError(f'precision {name!r} is not known: one of '
                         f'{", ".join(PRECISIONS)}')
    if name == 'fp16' and device.type == 'cpu':
        raise ValueError('fp16 is for GPUs; on a CPU take bf16 or fp32')
    return PRECISIONS[name]
