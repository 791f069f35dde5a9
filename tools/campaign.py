"""Break it on purpose: `python tools/campaign.py [PART ...]`."""
import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator

import _import_lmim  # noqa: F401  (finds lmim without an installation)
import lmim  # noqa: F401  (before anything of MMOCR)
from campaigns import death, disks, hostile, inputs, numbers, scale
from campaigns.harness import Case, Outcome, play

from lmim.cli.command import Command
from lmim.evaluation.benchmark_table import aligned
from lmim.utils.atomic import write_atomic
from lmim.utils.json_text import to_json
from lmim.utils.machine import processor_name

PARTS: Dict[str, Callable[[int], Iterator[Case]]] = {
    'death': death.cases, 'disk': disks.cases, 'hostile': hostile.cases,
    'inputs': inputs.cases, 'numbers': numbers.cases, 'scale': scale.cases}


class Campaign(Command):
    """Break trainings, files and inputs on purpose, and count what held.

    Each case is a situation that has to end well: with the same result, with
    one message that says what is wrong, or with a bad record skipped, counted
    and named. What each draws depends on the seed and on its name alone.
    """

    name = 'campaign'
    summary = 'Break it on purpose.'
    example = 'death --trials 2 --minutes 5'
    writes = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('parts', nargs='*', metavar='PART', choices=[[], *PARTS],
            help=f'of {", ".join(PARTS)} (default: all)')
        add('--trials', type=int, default=20, metavar='N',
            help='how often what is random is tried (default: 20)')
        add('--seed', type=int, default=int(time.time()), metavar='N',
            help='repeats what another campaign drew (default: the time)')
        add('--minutes', type=float, default=60., metavar='N',
            help='begin no case later than this (default: 60)')
        add('--only', default='', metavar='TEXT',
            help='the cases whose names have this')
        add('--out', type=Path, metavar='FILE',
            help='write all outcomes as JSON')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Play the cases."""
        print(f'seed {args.seed}', flush=True)
        cases = [case for part in args.parts or PARTS
                 for case in PARTS[part](args.trials)
                 if args.only in case.name]
        result: Dict[str, Any] = dict(
            seed=args.seed, processor=processor_name(), left=len(cases),
            ok=True, outcomes=[])

        def told(outcome: Outcome) -> None:
            result['outcomes'].append(outcome._asdict())
            result['left'] -= 1
            result['ok'] &= outcome.state != 'broken'
            print(f'[{len(result["outcomes"])}/{len(cases)}] {outcome.part}: '
                  f'{outcome.name}: {outcome.state} ({outcome.seconds:.1f} s) '
                  f'{outcome.found}', flush=True)
            if args.out:
                write_atomic(args.out, to_json(result, indent=1).encode())

        with tempfile.TemporaryDirectory(prefix='campaign') as folder:
            play(cases, Path(folder), args.seed, args.minutes, told)
        return result

    def report(self, result: Dict[str, Any]) -> str:
        """A row for each part."""
        rows = [['part', 'cases', 'held', 'broken', 'untried', 'seconds']]
        for part in dict.fromkeys(each['part'] for each in
                                  result['outcomes']):
            own = [each for each in result['outcomes']
                   if each['part'] == part]
            states = [each['state'] for each in own]
            rows.append([part, str(len(own)), *(
                str(states.count(state))
                for state in ('held', 'broken', 'untried')),
                f'{sum(each["seconds"] for each in own):.0f}'])
        left = (f'{result["left"]} cases left out: the time was up. '
                if result['left'] else '')
        return '\n'.join([*aligned(rows), f'{left}seed {result["seed"]}'])


if __name__ == '__main__':
    sys.exit(Campaign().main())
