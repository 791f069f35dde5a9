"""Devices and precisions: a small computation is done on each."""
import os
import time
from typing import Any, Dict, Iterator, NamedTuple

from . import shell
from .finding import Finding, Say, note, ok, wrong
from .kernels import check_attention, check_compile
from .machine import nvidia_gpus, torch_without_gpu

SECTION = 'devices'
SIDE = 512
#: How far a product of matrices may be from that in fp64, relative to its
#: norm. Rounding alone gives 4e-7, 3e-3 and 3e-4.
LIMITS = {'fp32': 1e-4, 'bf16': 2e-2, 'fp16': 4e-3}


class Product(NamedTuple):
    """How a product of matrices came out.

    Attributes:
        error (float): Distance to that in fp64, relative to its norm.
        computed (bool): Whether it was computed in the precision.
        finite (bool): Whether its gradient is.
        tflops (float): Operations a second, in units of 10^12.
    """
    error: float
    computed: bool
    finite: bool
    tflops: float


def check_devices(options: Dict[str, Any], say: Say) -> None:
    """Try the CPU and each GPU; the `devices` part of :mod:`.child`.

    Args:
        options (Dict[str, Any]): ``thorough``: also try torch.compile.
        say (Callable): Takes the findings.
    """
    try:
        import torch
    except Exception:  # told with the imports, where its mend is known
        say(note(SECTION, 'all', 'not tried: torch cannot be imported'))
        return
    build = torch.__config__.show().splitlines()
    backends = [name for name in ('mkldnn', 'mkl', 'openmp')
                if getattr(torch.backends, name).is_available()]
    cuda = f'CUDA {torch.version.cuda}' if torch.version.cuda else 'CPU only'
    say(ok(SECTION, 'torch build', f'{torch.__version__}, {cuda}, '
           f'{", ".join(backends)}, {torch.get_num_threads()} thread(s), '
           f'{next((s.strip(" -") for s in build if "capability" in s), "")}'))
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    names = ['cpu', *(f'cuda:{index}' for index in range(gpus))]
    if hasattr(torch.backends, 'mps') and torch.backends.mps.is_available():
        names.append('mps')
    if not gpus:
        for finding in torch_without_gpu(nvidia_gpus(), torch.version.cuda,
                                         torch.__version__,
                                         dict(os.environ)):
            say(finding)
    for name in names:
        if name.startswith('cuda'):
            say(memory_of(name))
        for finding in check_precisions(name):
            say(finding)
        for finding in check_attention(name):
            say(finding)
    for finding in check_compile(names[-1], options.get('thorough', False)):
        say(finding)


def memory_of(name: str) -> Finding:
    """What a GPU is, and how much of its memory is free."""
    import torch
    free, total = torch.cuda.mem_get_info(name)
    major, minor = torch.cuda.get_device_capability(name)
    told = (f'{torch.cuda.get_device_name(name)}, capability {major}.{minor}, '
            f'{free / 2**30:.1f} of {total / 2**30:.1f} GB free')
    if free < total / 4:
        return note(SECTION, name, f'{told}: others use it', 'nvidia-smi')
    return ok(SECTION, name, told)


def check_precisions(name: str) -> Iterator[Finding]:
    """Multiply matrices on a device, in fp32 and under autocast."""
    base = 0.
    for precision, limit in LIMITS.items():
        title = f'{name} {precision}'
        try:
            found = multiply(name, precision)
        except Exception as error:  # torch raises many kinds
            yield _refused(title, name, precision, error)
            continue
        told = (f'product of matrices off by {found.error:.1e}, '
                f'{found.tflops:.3g} TFLOP/s')
        if precision == 'fp32':
            base = found.tflops
        if not found.computed:
            yield note(SECTION, title, 'this torch does not compute in it '
                       'under autocast here')
        elif not found.error <= limit or not found.finite:
            yield wrong(SECTION, title, f'{told}: at most {limit:.0e} is '
                        'rounding; this torch computes wrongly here',
                        reinstalled_torch())
        elif found.tflops < base:
            yield note(SECTION, title, f'{told}, slower than fp32: '
                       + ('train without --amp' if precision == 'bf16'
                          else 'not used here, --amp takes bf16'))
        else:
            yield ok(SECTION, title, told)


def multiply(name: str, precision: str) -> Product:
    """A product of two (512, 512) matrices, and its gradient."""
    import torch
    types = {'fp32': torch.float32, 'bf16': torch.bfloat16,
             'fp16': torch.float16}
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.randn(SIDE, SIDE, generator=generator)
                     for _ in range(2))
    exact = first.double() @ second.double()
    left = first.to(name).requires_grad_()
    right = second.to(name)
    times = []
    with torch.autocast(torch.device(name).type, types[precision],
                        enabled=precision != 'fp32'):
        for _ in range(4):
            start = time.perf_counter()
            product = left @ right
            _wait(name)
            times.append(time.perf_counter() - start)
    product.float().mean().backward()
    assert left.grad is not None
    away = product.detach().double().cpu() - exact
    return Product(float(away.norm() / exact.norm()),
                   product.dtype == types[precision],
                   bool(left.grad.isfinite().all()),
                   2 * SIDE**3 / min(times[1:]) / 1e12)


def reinstalled_torch() -> str:
    """The command that brings torch anew, in the version that is there."""
    import torch
    base = torch.__version__.split('+')[0]
    return shell.install('--force-reinstall', '--no-cache-dir',
                         f'torch=={base}')


def _refused(title: str, name: str, precision: str,
             error: Exception) -> Finding:
    reason = str(error).splitlines()[0] if str(error) else repr(error)
    if precision != 'fp32':
        return note(SECTION, title, f'cannot be had here: {reason}')
    if name.startswith('cuda') and 'out of memory' in reason:
        return wrong(SECTION, title, reason, 'nvidia-smi')
    return wrong(SECTION, title, reason, reinstalled_torch())


def _wait(name: str) -> None:
    import torch
    if name.startswith('cuda'):
        torch.cuda.synchronize(name)
    elif name == 'mps':
        torch.mps.synchronize()

