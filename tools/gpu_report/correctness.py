"""Does the device compute the same as the published code, and as the CPU?"""
import contextlib
import copy
from pathlib import Path
from typing import Any, Dict

import torch
from benchmarks.models import build, without_dropout
from benchmarks.steps import pretrain_data
from verify_reference import verify

from lmim.apis import TextRecognizer
from lmim.rendering import RenderedWords

from .part import Room, read_room

REFERENCES = Path(__file__).resolve().parents[2] / 'tests/data'


def references(room: Room) -> None:
    """The numbers of the reference files, in fp32 on the device."""
    paths = sorted(REFERENCES.glob('reference_*.npz'))
    for path in paths[:3] if room.quick else paths:
        name = path.stem.partition('_')[2]
        try:
            kind, checks, _ = verify(path, room.device)
        except (Exception, SystemExit) as error:
            # One file is not to end the rest: the table says so.
            room.rows.add('references', file=name, missed='-',
                          worst=f'{type(error).__name__}: {error}'[:200])
            continue
        worst = max(checks, key=lambda check: check.error / max(
            check.tolerance, 1e-12))
        room.rows.add(
            'references', file=name, outputs=len(checks),
            missed=sum(not check.passed for check in checks),
            worst=f'{worst.name}: {worst.error:.1e} of '
            f'{worst.tolerance:.0e} allowed')


def losses(room: Room, model: Any, inputs: Any, **autocast: Any
           ) -> Dict[str, float]:
    """Losses of a batch; the same patches are hidden each time."""
    torch.manual_seed(0)
    with torch.autocast(room.device, torch.bfloat16,
                        **{'enabled': False, **autocast}):
        return {name: value.item() for name, value
                in model(**inputs, mode='loss').items()}


def precisions(room: Room) -> None:
    """LMIM's losses: bfloat16 and compiled, against fp32."""
    arch = 'mini' if room.quick else 'small'
    count = 4 if room.quick else 64
    model = without_dropout(build('pretrain', arch, room.device))
    inputs = model.data_preprocessor(pretrain_data(count, room.device), True)
    fp32 = losses(room, model, inputs)
    compiled = copy.deepcopy(model)
    # Compiled kernels draw numbers of their own, which hide other patches.
    compiled.forward = torch.compile(compiled.forward, options=dict(
        fallback_random=True))
    ways = {'bf16': lambda: losses(room, model, inputs, enabled=True),
            'fp32, compiled': lambda: losses(room, compiled, inputs),
            'bf16, compiled': lambda: losses(room, compiled, inputs,
                                             enabled=True)}
    for way, computed in ways.items():
        for name, value in computed().items():
            room.rows.add('precisions', way=way, loss=name,
                          fp32=round(fp32[name], 6), found=round(value, 6),
                          difference=f'{abs(value - fp32[name]):.1e}')


def texts(room: Room) -> None:
    """Words that the shipped reader reads, on the CPU and on the device."""
    words = RenderedWords(64 if room.quick else 1000)
    images = [word.image for word in words]
    truth = [word.text for word in words]
    wanted = [found.text for found in TextRecognizer(device='cpu')(images)]
    for precision in ('fp32', 'bf16'):
        found = [each.text for each in TextRecognizer(
            device=room.device, precision=precision)(images)]
        room.rows.add(
            'texts', precision=precision, words=len(images),
            differ_from_cpu=sum(a != b for a, b in zip(found, wanted)),
            right=sum(a == b for a, b in zip(found, truth)),
            right_on_cpu=sum(a == b for a, b in zip(wanted, truth)))


def main() -> None:
    """All of it; whatever fails first leaves the others' rows."""
    room = read_room(__doc__ or '')
    torch.set_num_threads(max(1, torch.get_num_threads() // 2))
    # Convolutions in TF32 have 10 bits; reference numbers ask for more.
    flags = (torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
             if room.device == 'cuda' else contextlib.nullcontext())
    with flags:
        references(room)
        texts(room)
        precisions(room)


if __name__ == '__main__':
    main()
