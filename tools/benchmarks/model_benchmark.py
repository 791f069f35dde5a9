"""What the benchmarks of models share."""
import argparse
from abc import abstractmethod
from typing import Any, Callable, Dict, List, NamedTuple, Sequence

import torch

from lmim.cli.command import Command, at_least
from lmim.models.backbones import TextViT

from .flops import FORMULA
from .peak import matrix_peaks, wait
from .profiling import profile_table
from .tables import rates_table
from .turns import take_turns


class Side(NamedTuple):
    """One way to do the work.

    Attributes:
        work (Callable): Does it for one batch.
        precision (str): Of its matrix products: 'fp32', 'bf16' or 'fp16'.
        flops (float): What the model needs for an image.
    """
    work: Callable[[], Any]
    precision: str
    flops: float


class ModelBenchmark(Command):
    """A model's work on random pictures, ours and the plain reference."""

    formula = FORMULA

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('--device', choices=['cpu', 'cuda'],
            default='cuda' if torch.cuda.is_available() else 'cpu',
            help='(default here: %(default)s)')
        add('--batch', type=at_least(1), nargs='+', default=[16, 64],
            metavar='N', help='images of a batch (default: 16 64)')
        add('--precision', nargs='+', choices=['fp32', 'bf16'],
            help='of ours (default: fp32, and bf16 where the device computes '
            'in it)')
        add('--plain-precision', choices=['fp32', 'fp16'], default='fp32',
            help='of the plain reference; fp16 is autocast, on a GPU '
            '(default: %(default)s)')
        add('--arch', choices=sorted(TextViT.arch_zoo), default='small',
            help='of the ViT (default: %(default)s)')
        add('--rounds', type=at_least(1), default=5,
            help='(default: %(default)s)')
        add('--profile', action='store_true',
            help="add torch.profiler's table of a batch of each of ours")

    @abstractmethod
    def check(self, args: argparse.Namespace, batch: int) -> Dict[str, Any]:
        """Compare both sides in fp32, without dropout.

        Returns:
            dict: What was compared, and how far apart it was.

        Raises:
            ValueError: If it is not the same.
        """

    @abstractmethod
    def sides(self, args: argparse.Namespace, batch: int,
              precisions: Sequence[str]) -> Dict[str, Side]:
        """What is measured, the base ``plain`` included."""

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Check and measure."""
        if args.device == 'cuda' and not torch.cuda.is_available():
            raise ValueError('torch finds no GPU: take --device cpu')
        if args.device == 'cpu' and args.plain_precision != 'fp32':
            raise ValueError('--plain-precision fp16 is for --device cuda')
        precisions = args.precision or default_precisions(args.device)
        names = sorted({*precisions, args.plain_precision})
        peaks = matrix_peaks(args.device, names)
        batches: List[Dict[str, Any]] = []
        for batch in args.batch:
            # Few images tell as much as many, and cost less.
            checked = self.check(args, min(batch, 4))
            sides = self.sides(args, batch, precisions)
            works = {name: _counted(side, batch, args.device)
                     for name, side in sides.items()}
            rows = take_turns(works, args.rounds, device=args.device,
                              title=f'{self.name}, batch {batch}')
            for name, side in sides.items():
                rows[name].update(
                    precision=side.precision,
                    gflops_per_image=round(side.flops / 1e9, 3))
            row: Dict[str, Any] = {
                'batch': batch, 'checked': checked, 'rows': rows}
            if args.profile:
                row['profile'] = {name: profile_table(work) for name, work
                                  in works.items() if name != 'plain'}
            batches.append(row)
            # Again, as others may have kept the machine busy before.
            later = matrix_peaks(args.device, names)
            peaks = {name: max(peaks[name], later[name]) for name in names}
        for row in batches:
            for side_row in row['rows'].values():
                reached = side_row['median'] * side_row['gflops_per_image']
                side_row['share'] = round(
                    reached / 1e3 / peaks[side_row['precision']], 4)
        return {'unit': 'images/s', 'device': args.device, 'arch': args.arch,
                'formula': self.formula,
                'peak_tflops': {name: round(peak, 3)
                                for name, peak in peaks.items()},
                'batches': batches}

    def report(self, result: Dict[str, Any]) -> str:
        """Tell the formula, and a table for each batch size."""
        peaks = ', '.join(f'{name} {peak:.3g}' for name, peak
                          in sorted(result['peak_tflops'].items()))
        lines = [f'ViT {result["arch"]} on {result["device"]}; matrix '
                 f'products here reach, in TFLOP/s: {peaks}',
                 result['formula']]
        for each in result['batches']:
            checked = ', '.join(f'{name} {value:.2g}' for name, value
                                in each['checked'].items())
            lines += ['', f'batch {each["batch"]}; ours and plain in fp32, '
                      f'largest difference: {checked}',
                      rates_table(each['rows'])]
            counts = {name: f'{row["gflops_per_image"]:.4g}'
                      for name, row in each['rows'].items()}
            lines.append('GFLOP of an image: ' + ', '.join(
                f'{name} {count}' for name, count in counts.items()))
            for name, table in each.get('profile', {}).items():
                lines += ['', name, table]
        return '\n'.join(lines)


def default_precisions(device: str) -> List[str]:
    """fp32, and bf16 where the hardware computes in it."""
    if device == 'cuda':
        bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        bf16 = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return ['fp32', 'bf16'] if bf16 else ['fp32']


def _counted(side: Side, batch: int, device: str) -> Callable[[], int]:
    def work() -> int:
        side.work()
        wait(device)
        return batch

    return work


def random_pictures(count: int, device: str) -> torch.Tensor:
    """Pictures as a loader gives them, uint8, BGR, (count, 3, 32, 128)."""
    generator = torch.Generator().manual_seed(count)
    return torch.randint(0, 256, (count, 3, 32, 128), dtype=torch.uint8,
                         generator=generator).to(device)


def plain_autocast(args: argparse.Namespace) -> torch.autocast:
    """The context of the plain reference."""
    return torch.autocast(args.device, torch.float16,
                          enabled=args.plain_precision == 'fp16')
