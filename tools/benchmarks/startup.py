"""`startup`: how long a command takes to its first step."""
import argparse
import tempfile
from pathlib import Path
from statistics import median
from typing import Any, Dict, List

from lmim.cli.command import Command, at_least
from lmim.utils.progress import track

from .reader_sets import make_lmdb, pictures
from .training_runs import TrainingRun

#: In seconds.
GOAL = 15.
#: Until what, in this order.
STAGES = {
    'built': 'Python, libraries, config and hooks',
    'start': 'model, data set and optimizer',
    'step': 'workers, first batch and first step',
}


class StartupBenchmark(Command):
    """From the command `tools/train.py` to the end of the first step.

    The config is one of those for a CPU; the data is an LMDB of 256 rendered
    words. The first round, which reads the libraries from the disk, is told
    apart from the others.
    """

    name = 'startup'
    summary = 'seconds from the command to the first step of training'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('--config', default='pretrain/mae/mae_vit-mini_1xb64_rendered.py',
            help='below `configs`; one of pre-training that needs no '
            'checkpoint (default: %(default)s)')
        add('--rounds', type=at_least(1), default=3,
            help='(default: %(default)s)')
        add('--batch', type=at_least(1), default=64, metavar='N',
            help='(default: %(default)s)')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Start it several times."""
        rounds: List[Dict[str, float]] = []
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder) / 'words'
            make_lmdb(data, max(256, 2 * args.batch), pictures())
            for number in track(range(args.rounds), args.rounds, 'rounds'):
                run = TrainingRun(
                    args.config, data, Path(folder) / str(number),
                    dict(train_dataloader=dict(batch_size=args.batch)))
                try:
                    events = run.events()
                finally:
                    run.stop()
                first = {name: next(each['time'] for each in events
                                    if each['event'] == name)
                         for name in STAGES}
                rounds.append({name: round(when - run.began, 2)
                               for name, when in first.items()})
        return {'config': args.config, 'goal_s': GOAL, 'rounds': rounds,
                'median_s': median(each['step'] for each in rounds)}

    def report(self, result: Dict[str, Any]) -> str:
        """Tell where the time goes, round by round."""
        lines = [f'{result["config"]}, seconds from the command']
        for name, title in STAGES.items():
            until = [each[name] for each in result['rounds']]
            lines.append(f'{title:42}' + ''.join(f'{each:8.2f}'
                                                 for each in until))
        lines.append(f'first step after {result["median_s"]:.1f} s (median); '
                     f'goal {result["goal_s"]:.0f} s')
        return '\n'.join(lines)
