"""The machine that numbers were measured on."""
import os
import platform
from typing import Any, Dict, Optional

import cv2
import lmdb
import numpy as np
import PIL
import torch


def facts() -> Dict[str, Any]:
    """What a measured number hangs on besides the code."""
    return {
        'cpu': _cpu(),
        'cores': _cores(),
        'load': _load(),
        'threads': {
            'torch': torch.get_num_threads(),
            'opencv': cv2.getNumThreads(),
        },
        'gpus': [torch.cuda.get_device_name(i)
                 for i in range(torch.cuda.device_count())],
        'system': f'{platform.system()} {platform.machine()}',
        'versions': {
            'python': platform.python_version(),
            'torch': torch.__version__,
            'numpy': np.__version__,
            'opencv': cv2.__version__,
            'pillow': PIL.__version__,
            'lmdb': lmdb.__version__,
        },
    }


def header(machine: Dict[str, Any]) -> str:
    """The same in words.

    Args:
        machine (Dict[str, Any]): As of :func:`facts`.
    """
    threads = ', '.join(f'{name} {count}' for name, count
                        in machine['threads'].items())
    versions = ', '.join(f'{name} {version}' for name, version
                         in machine['versions'].items())
    load = ('' if machine['load'] is None else
            f', load {machine["load"]:.1f} before')
    gpus = ', '.join(machine['gpus']) or 'no GPU'
    return (f'{machine["cpu"]}, {machine["cores"]} core(s) for this process'
            f'{load}, {gpus}; threads: {threads}\n'
            f'{machine["system"]}, {versions}')


def _cores() -> int:
    """Cores that this process may use, which containers limit."""
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _load() -> Optional[float]:
    """How many processes want to run: above 0 before, others are at work."""
    if hasattr(os, 'getloadavg'):
        return round(os.getloadavg()[0], 1)
    return None


def _cpu() -> str:
    """The name of the processor, as far as the system tells."""
    if os.path.exists('/proc/cpuinfo'):
        with open('/proc/cpuinfo', encoding='utf-8') as file:
            for line in file:
                if line.startswith('model name'):
                    return line.split(':', 1)[1].strip()
    return platform.processor() or platform.machine()
