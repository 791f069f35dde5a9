"""`lmim compare`: what each way of pre-training is worth, by few labels."""
import argparse
import shlex
from pathlib import Path
from typing import Any, Dict

import torch

from lmim.comparison.data import prepare
from lmim.comparison.protocol import read_protocol
from lmim.comparison.results import Results
from lmim.comparison.runs import finetunings, pretrainings
from lmim.comparison.tasks import Progress, TaskRunner, result_of
from lmim.engine.precision import choose_precision
from lmim.utils.atomic import write_atomic
from lmim.utils.machine import available_cores
from lmim.utils.options import SettingAction

from .command import Command, at_least


class Compare(Command):
    """Pre-train, fine-tune and evaluate by one protocol, and tabulate.

    A config says what is compared: methods, numbers of labelled words, seeds,
    and the pictures (configs/comparison/ has some). All methods get the same
    pictures, the same number of passes through the encoder, and the same
    fine-tuning. Decisions rest on words held out of the training set; --final
    trains on all of them and reports the test sets.

    Each run is an ordinary config in a folder of the work dir. Run again, the
    command resumes, and repeats nothing that is done.
    """

    name = 'compare'
    example = ('configs/comparison/rendered_vit-mini.py --methods scratch '
               'lmim-plus --seeds 0')

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('config', help='what is compared')
        add('--work-dir', type=Path, metavar='DIR',
            help='where everything is written (default: work_dirs/NAME of '
            'the config)')
        add('--methods', nargs='+', metavar='NAME',
            help="compare these of the config's methods")
        add('--seeds', nargs='+', type=int, metavar='N',
            help='seeds of pre-training and fine-tuning')
        add('--labels', nargs='+', metavar='N',
            help="numbers of labelled words, or 'all'; one that the config "
            'does not have gets the updates of the next larger one')
        add('--unlabelled', nargs='+', metavar='PATH',
            help='your pictures to pre-train on')
        add('--labelled', nargs='+', metavar='PATH',
            help='your pictures with labels')
        add('--final', action='store_true',
            help='train on all labelled words and report the test sets, once '
            'all decisions are taken')
        add('--workers', type=at_least(1), metavar='N',
            help='runs at once (default: one for each core; with GPUs one)')
        add('--threads', type=at_least(1), default=1, metavar='N',
            help='threads of each run (default: %(default)s; of small models '
            'several runs with one thread each get more done)')
        add('--prefix', default='', metavar='COMMAND',
            help='put before the command of each run, such as "srun '
            '--partition=gpu --gres=gpu:1"; with --workers for how many '
            'jobs')
        add('--dry-run', action='store_true',
            help='list the runs, and do none')
        add('--cfg-options', nargs='+', action=SettingAction, default={},
            metavar='KEY=VALUE', help='change settings of the config, such '
            'as pretraining.views=200000')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Run what is not done yet, and write the tables."""
        changes = dict(args.cfg_options)
        for key, value in dict(
                compared=args.methods, seeds=args.seeds,
                unlabelled=args.unlabelled, labelled=args.labelled).items():
            if value:
                changes[key] = value
        if args.labelled and 'tests' not in changes:
            # The words of other people's tests say nothing of one's own.
            changes['tests'] = {'_delete_': True}
        protocol = read_protocol(args.config, changes)
        if args.labels:
            protocol = protocol._replace(
                labels=[protocol.label_count(name) for name in args.labels])
        work_dir = (args.work_dir or Path('work_dirs') / Path(
            args.config).stem).resolve()
        if not args.prefix:
            protocol = protocol._replace(
                precision=_precision(protocol.precision, work_dir))
        sets = prepare(protocol, work_dir, args.final)
        tasks = [*pretrainings(protocol, work_dir),
                 *finetunings(protocol, sets, work_dir)]
        # Seed by seed: one that is ended early has whole columns.
        tasks.sort(key=lambda task: protocol.seeds.index(
            int(task.name.rpartition('seed')[2])))
        todo = [task for task in tasks
                if result_of(work_dir, task.name) is None]
        result: Dict[str, Any] = dict(
            work_dir=str(work_dir), runs=[task.name for task in tasks],
            done=len(tasks) - len(todo), failed=[])
        if args.dry_run:
            return result
        print(f'{len(tasks)} runs, of which {result["done"]} are done.')
        workers = args.workers or (
            1 if torch.cuda.is_available() else
            max(1, available_cores() // args.threads))
        runner = TaskRunner(work_dir, Progress(todo, workers), args.threads,
                            shlex.split(args.prefix))
        result['failed'] = runner.run_all()
        results = Results(protocol, work_dir, sets.stage)
        result['files'] = list(map(str, results.write(work_dir)))
        result['page'] = results.page() if results.runs else ''
        result['ok'] = not result['failed']
        return result

    def report(self, result: Dict[str, Any]) -> str:
        """The tables, what failed, and where everything lies."""
        if 'page' not in result:
            return '\n'.join([*result['runs'], f'{len(result["runs"])} runs, '
                              f'{result["done"]} done'])
        lines = [result['page'], *result['failed']]
        return '\n'.join(lines + [f'Written: {path}'
                                  for path in result['files']])


def _precision(name: str, work_dir: Path) -> str:
    """One precision for all runs of a work dir, also where they go on.

    Runs that are timed beside others might each find another to be the
    fastest.
    """
    path = work_dir / 'precision.txt'
    if name == 'auto' and path.is_file():
        return path.read_text()
    found = choose_precision(name).name
    write_atomic(path, found.encode())
    return found


main = Compare().main
