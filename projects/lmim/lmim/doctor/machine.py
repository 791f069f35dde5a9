"""The machine: Python, system, processor, GPUs, shared memory."""
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Optional

from . import shell
from .finding import Finding, note, ok, wrong

SECTION = 'machine'
#: What tools/setup_env.sh makes environments of.
PYTHONS = (3, 9), (3, 12)
#: Flags of /proc/cpuinfo that speed bf16 up, best first.
BF16_FLAGS = {
    'amx_bf16': 'bf16 in AMX tiles',
    'avx512_bf16': 'bf16 in AVX-512',
    'svebf16': 'bf16 in SVE',
    'bf16': 'bf16 in NEON',
}
#: Shared memory below which batches of several workers may not fit, in MB.
#: A batch of 64 pictures, two views each, has 1.6 MB.
LITTLE_SHARED, SHARED = 64, 256
MB = 2**20


def check_machine() -> Iterator[Finding]:
    """All that is known without a library."""
    yield python_version(sys.version_info[:2])
    yield ok(SECTION, 'system', platform.platform())
    yield processor(_read('/proc/cpuinfo'))
    gpus = nvidia_gpus()
    if gpus:
        yield ok(SECTION, 'GPUs', '; '.join(gpus))
    shared = Path('/dev/shm')
    if shared.is_dir():
        state = os.statvfs(shared)
        yield shared_memory(state.f_bavail * state.f_frsize // MB)


def python_version(version: tuple) -> Finding:
    """Whether this Python is one that lmim is made for.

    Args:
        version (tuple): Its first two numbers.
    """
    told = f'{platform.python_version()}, {sys.executable}'
    least, last = ('.'.join(map(str, each)) for each in PYTHONS)
    if version < PYTHONS[0]:
        return wrong(SECTION, 'python', f'{told}; lmim needs {least} or later',
                     'bash tools/quickstart.sh')
    if version > PYTHONS[1]:
        return note(SECTION, 'python', f'{told}; tried are {least} to {last}')
    return ok(SECTION, 'python', told)


def processor(cpuinfo: str) -> Finding:
    """Name, cores and what it has for bf16.

    Args:
        cpuinfo (str): Content of /proc/cpuinfo; empty elsewhere.
    """
    fields = dict(re.findall(r'^(.+?)\s*:\s*(.*)$', cpuinfo, re.M))
    name = fields.get('model name') or platform.processor() or 'processor'
    cores = (len(os.sched_getaffinity(0))
             if hasattr(os, 'sched_getaffinity') else os.cpu_count())
    told = f'{name}, {platform.machine()}, {cores} core(s) for this process'
    flags = (fields.get('flags') or fields.get('Features') or '').split()
    if not flags:
        return ok(SECTION, 'CPU', told)
    has = [text for flag, text in BF16_FLAGS.items() if flag in flags]
    if not has:
        return note(SECTION, 'CPU', f'{told}; nothing for bf16: on the CPU '
                    'train without --amp')
    wide = 'AVX-512, ' if 'avx512f' in flags else ''
    return ok(SECTION, 'CPU', f'{told}; {wide}{", ".join(has)}')


def nvidia_gpus() -> List[str]:
    """The GPUs that NVIDIA's driver knows, whatever torch thinks."""
    tool = shutil.which('nvidia-smi')
    if tool is None:
        return []
    done = subprocess.run([tool, '-L'], capture_output=True, text=True,
                          timeout=60)
    if done.returncode:
        return []
    return [re.sub(r' \(UUID.*', '', line)
            for line in done.stdout.splitlines() if line.startswith('GPU')]


def shared_memory(free: int) -> Finding:
    """Whether batches of the data-loader workers fit.

    Args:
        free (int): What is left of /dev/shm, in MB.
    """
    told = f'{free:,} MB free in /dev/shm, through which workers hand batches'
    # In a container that the user cannot mount in, it is an option of the
    # command that starts it.
    mend = 'sudo mount -o remount,size=8g /dev/shm'
    if free >= SHARED:
        return ok(SECTION, 'shared memory', told)
    told += '; in Docker start the container with --shm-size=8g'
    if free >= LITTLE_SHARED:
        return note(SECTION, 'shared memory', told, mend)
    return wrong(SECTION, 'shared memory', told, mend)


def torch_without_gpu(gpus: List[str], build: Optional[str],
                      torch_version: str,
                      environment: Dict[str, str]) -> Iterator[Finding]:
    """Why torch has no GPU where the driver has one.

    Args:
        gpus (List[str]): As of :func:`nvidia_gpus`.
        build (str, optional): CUDA's version in torch; None of a CPU build.
        torch_version (str): Of torch.
        environment (Dict[str, str]): Environment variables.
    """
    hidden = environment.get('CUDA_VISIBLE_DEVICES')
    if not gpus:
        return
    if hidden is not None and hidden in ('', '-1', 'none', 'NoDevFiles'):
        yield note('devices', 'cuda', 'hidden by CUDA_VISIBLE_DEVICES='
                   f'{hidden!r}', 'unset CUDA_VISIBLE_DEVICES')
    elif build is None:
        base = torch_version.split('+')[0]
        yield wrong('devices', 'cuda', f'{len(gpus)} GPU(s), and torch '
                    f'{torch_version} is built without CUDA',
                    shell.install('--force-reinstall', f'torch=={base}',
                                  'torchvision'))
    else:
        yield wrong('devices', 'cuda', f'{len(gpus)} GPU(s), and torch, built '
                    f'for CUDA {build}, cannot use them: the driver is older '
                    'than that, or this torch no longer knows the GPU '
                    '(pytorch.org/get-started lists the builds)',
                    f'nvidia-smi && {shell.python()} -c "import torch; '
                    'torch.zeros(1).cuda()"')


def _read(path: str) -> str:
    if not os.path.exists(path):
        return ''
    return Path(path).read_text(encoding='utf-8', errors='replace')
