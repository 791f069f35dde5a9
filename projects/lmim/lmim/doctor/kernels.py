"""Kernels of attention, and torch.compile."""
import os
import shutil
from typing import Any, Iterator, List

from . import shell
from .finding import Finding, note, ok, wrong

SECTION = 'devices'
#: Words, heads, tokens and channels of a head in ViT-S.
SHAPE = (2, 6, 257, 64)


def check_attention(name: str) -> Iterator[Finding]:
    """Which of torch's kernels run on a device, and whether they are right.

    Args:
        name (str): The device.
    """
    import torch
    title = f'{name} attention'
    if not hasattr(torch.nn.functional, 'scaled_dot_product_attention'):
        yield note(SECTION, title, 'this torch, before 2.0, has none that is '
                   'fused: more memory and time')
        return
    if not hasattr(getattr(torch.nn, 'attention', None), 'sdpa_kernel'):
        yield note(SECTION, title, 'fused; this torch, before 2.3, does not '
                   'tell its kernels apart')
        return
    from torch.nn.attention import SDPBackend
    kind = torch.bfloat16
    if name.startswith('cuda') and torch.cuda.get_device_capability(
            name)[0] < 8:
        kind = torch.float16
    run: List[str] = []
    for kernel in ('FLASH_ATTENTION', 'EFFICIENT_ATTENTION',
                   'CUDNN_ATTENTION', 'MATH'):
        if not hasattr(SDPBackend, kernel):
            continue
        try:
            away = attention_error(name, getattr(SDPBackend, kernel), kind)
        except RuntimeError:  # 'No available kernel'
            continue
        short = kernel.split('_')[0].lower()
        if away > 0.02:
            yield note(SECTION, f'{title} {short}',
                       f'off by {away:.1e} from attention in fp32')
        run.append(short)
    told = f'in {str(kind).split(".")[1]}: {", ".join(run) or "none"}'
    if run in ([], ['math']):
        yield note(SECTION, title, f'{told}; no fused kernel: more memory and '
                   'time')
    else:
        yield ok(SECTION, title, told)


def attention_error(name: str, kernel: Any, kind: Any) -> float:
    """How far a kernel is from attention spelt out in fp32, at most.

    Raises:
        RuntimeError: If it does not run here.
    """
    import torch
    from torch.nn.attention import sdpa_kernel
    generator = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(SHAPE, generator=generator)
                         for _ in range(3))
    weights = (query @ key.transpose(-1, -2) / SHAPE[-1]**0.5).softmax(-1)
    with sdpa_kernel([kernel]):
        out = torch.nn.functional.scaled_dot_product_attention(
            query.to(name, kind), key.to(name, kind), value.to(name, kind))
    return float((out.float().cpu() - weights @ value).abs().max())


def check_compile(name: str, thorough: bool) -> Iterator[Finding]:
    """Whether torch.compile works, where it is asked for.

    Args:
        name (str): The device.
        thorough (bool): Whether to try it, which takes up to a minute.
    """
    import torch
    names = [os.environ.get('CXX', ''), 'g++', 'clang++', 'cl']
    compiler = next((each for each in names if each and shutil.which(each)),
                    None)
    title = f'{name} torch.compile'
    if not hasattr(torch, 'compile'):
        yield note(SECTION, title, 'this torch, before 2.0, has none')
    elif compiler is None and not name.startswith('cuda'):
        yield note(SECTION, title, 'no C++ compiler, which it needs on a CPU; '
                   'nothing needs it', 'sudo apt-get install -y g++')
    elif not thorough:
        yield note(SECTION, title, f'not tried (compiler: {compiler})',
                   shell.tool('doctor', '--thorough'))
    else:
        yield _tried_compile(name, title)


def _tried_compile(name: str, title: str) -> Finding:
    import torch

    def work(values: Any) -> Any:
        return torch.nn.functional.gelu(values * 2).sum(-1)

    values = torch.randn(64, 64, device=name)
    try:
        away = (torch.compile(work)(values) - work(values)).abs().max()
    except Exception as error:  # the compiler's and torch's of many kinds
        lines = str(error).strip().splitlines() or [repr(error)]
        return note(SECTION, title, f'does not work; nothing needs it: '
                    f'{lines[0]}')
    if away > 1e-3:
        return wrong(SECTION, title, f'results are off by {float(away):.1e}',
                     'export TORCH_COMPILE_DISABLE=1')
    return ok(SECTION, title, 'works')
