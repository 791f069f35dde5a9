"""What prompts cost: the search among them, and reading behind them."""
import argparse
import time
from statistics import median
from typing import Any, Callable, Dict

import torch

from lmim.cli import at_least
from lmim.models.textrecog import Prompt, PromptPool
from lmim.models.textrecog.in_context import packed

from .measuring import Benchmark, memory_mb
from .models import build
from .steps import text_data

#: A text of middling length.
TEXT = 'seven'


class PoolBenchmark(Benchmark):
    """The search for prompts, and a query with k of them, in both manners.

    Weights and pictures are random, and all words as long as can be;
    'search' is that of one picture's two nearest. Memory is what a prompt
    takes in the pool beside its picture (its embedding, and keys and values),
    and the most that the process held.
    """

    name = 'pool'
    summary = 'searching a pool of prompts, and reading behind k of them'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('--arch', default='small', help='of the ViT (default: small)')
        add('--entries', type=at_least(4), default=10000, metavar='N',
            help='prompts in the pool (default: %(default)s)')
        add('--batch', type=at_least(1), default=1, metavar='N',
            help='pictures that are read at once (default: %(default)s)')
        add('--prompts', type=at_least(1), nargs='+', default=[1, 2, 4],
            metavar='K', help='(default: 1 2 4)')
        add('--rounds', type=at_least(1), default=5, metavar='N',
            help='(default: %(default)s)')
        add('--device', default='cpu', help='(default: cpu)')

    def measure(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Search, then read."""
        return dict(
            title=f'{args.arch}, {args.entries:,} prompts, {args.batch} '
            'pictures at once',
            rows=[self._row(manner, args) for manner in (
                'chained', 'independent')])

    @staticmethod
    def _row(manner: str, args: argparse.Namespace) -> Dict[str, Any]:
        """What one manner costs."""
        model = build('in-context', args.arch, args.device).eval()
        model.chained = manner == 'chained'
        model.decoder.early_stop = False
        data = text_data(args.batch, args.device)
        data['inputs'] = [(each * 50 + 128).clamp(0, 255).byte()
                          for each in data['inputs']]
        some = [packed(torch.randint(256, (3, 32, 128), dtype=torch.uint8))
                for _ in range(max(args.prompts))]
        made = model.make_prompts(some, [TEXT] * len(some))
        pool = PromptPool('', prompts=[*made, *(
            Prompt(TEXT, some[0] + bytes(str(number), 'ascii'),
                   torch.randn_like(made[0].embedding),
                   made[0].states.clone())
            for number in range(args.entries - len(made)))])
        query = made[0].embedding[None]

        def read() -> Any:
            with torch.no_grad():
                return model.test_step(data)

        times = {'search, ms': _timed(lambda: pool.nearest(query, 2),
                                      args.rounds),
                 'no pool, ms': _timed(read, args.rounds)}
        model.pool = pool
        for count in args.prompts:
            model.num_prompts = count
            times[f'{count} prompts, ms'] = _timed(read, args.rounds)
        return {'prompts': manner, **times, 'bytes a prompt': sum(
            each.numel() * each.element_size()
            for each in (made[0].embedding, made[0].states)),
                'peak MB': memory_mb('VmHWM')}


def _timed(work: Callable[[], Any], rounds: int) -> float:
    """Milliseconds, the median of rounds after one more."""
    found = []
    for _ in range(1 + rounds):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return round(1000 * median(found[1:]), 2)
