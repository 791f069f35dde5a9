"""From pictures of words to a benchmark table; see tools/quickstart.sh."""
import time

PROCESS_START = time.time()  # before what takes seconds to import

# isort: split
import subprocess  # noqa: E402
import sys  # noqa: E402
from functools import lru_cache  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, Dict, Optional, Sequence  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

import _import_lmim  # noqa: E402,F401  (finds lmim without an installation)

# isort: split
import plan  # noqa: E402
import report  # noqa: E402
from settings import Settings, parse  # noqa: E402

from lmim.comparison import data, runs, tasks  # noqa: E402
from lmim.comparison.protocol import LabelCount, Protocol  # noqa: E402
from lmim.datasets.records import Spec, open_sources  # noqa: E402
from lmim.engine.launch import run_cleanly  # noqa: E402
from lmim.utils.errors import UserError  # noqa: E402

#: Part of the words of a user's labelled pictures that is the test.
TEST_SHARE = 0.2


def data_of(settings: Settings) -> Optional[Spec]:
    """The user's pictures, as the reader wants them; None without.

    Raises:
        UserError: If there is nothing at the path.
    """
    if settings.data is None:
        return None
    if not Path(settings.data).exists():
        raise UserError(f'--data {settings.data} does not exist. Give a '
                        'folder of pictures, an LMDB, or a list with labels')
    return spec_of(settings.data, settings.image_root)


def spec_of(data: str, image_root: Optional[str]) -> Spec:
    """A place as the reader wants it."""
    return data if image_root is None else dict(
        path=data, image_root=image_root)


@lru_cache(maxsize=None)  # a long list takes a while to open
def is_labelled(data: str, image_root: Optional[str]) -> bool:
    """Whether a user's pictures come with labels."""
    return open_sources(spec_of(data, image_root)).labelled


def render(settings: Settings, samples: Sequence[int]) -> None:
    """Draw words, once: dark on light, of 3 to 5 letters.

    Raises:
        UserError: If it fails.
    """
    folder = settings.work_dir / 'data'
    if (folder / 'test.lmdb').exists():
        return
    done = subprocess.run([
        sys.executable, '-m', 'lmim', 'data', 'render', str(folder),
        '--train', str(samples[0]), '--test', str(samples[1]), '--seed',
        str(settings.seed), '--style', 'print', '--min-length', '3',
        '--max-length', '5', '--overwrite'])
    if done.returncode:
        raise UserError('The words could not be rendered; see above')


def make_protocol(settings: Settings, planned: Dict[str, Any]) -> Protocol:
    """What is compared, for this user's pictures and this machine.

    Args:
        settings (Settings): What was asked for.
        planned (Dict[str, Any]): The numbers of the plan.
    """
    own = data_of(settings)
    found = plan.PROTOCOL._replace(
        compared=['scratch', settings.method],
        seeds=[settings.seed],
        precision=planned['precision'],
        # So that the teacher's share makes as many batches.
        views=round(planned['pretrain_iters'] * plan.BATCH /
                    plan.TEACHER.share))
    if own is not None and is_labelled(str(settings.data),
                                       settings.image_root):
        return found._replace(
            labels=[LabelCount(None, planned['finetune_iters'])],
            labelled=own, tests={}, held_out=TEST_SHARE)
    train, test = (str(settings.work_dir / f'data/{part}.lmdb')
                   for part in ('train', 'test'))
    labels = min(settings.labels, planned['samples'][0])
    return found._replace(
        labels=[LabelCount(labels, planned['finetune_iters'])],
        labelled=train, unlabelled=own or train,
        tests={'rendered, unseen words and fonts': test})


def main(argv: Optional[Sequence[str]] = None) -> None:
    """Run the quick start.

    Raises:
        UserError: If a step fails.
    """
    settings = parse(argv)
    own = data_of(settings)
    own_labels = own is not None and is_labelled(
        str(settings.data), settings.image_root)
    settings.keep()
    work_dir = settings.work_dir
    planned = plan.plan(settings, PROCESS_START)
    print(plan.describe(planned), flush=True)
    if not own_labels:
        render(settings, planned['samples'])
    protocol = make_protocol(settings, planned)
    sets = data.prepare(protocol, work_dir, final=not own_labels)
    if own_labels:
        protocol = protocol._replace(unlabelled=str(sets.train['all']))
    steps = [step._replace(cost=planned['seconds'][plan.stage_of(step.name)])
             for step in [*runs.pretrainings(protocol, work_dir),
                          *runs.finetunings(protocol, sets, work_dir)]]
    todo = [step for step in steps
            if tasks.result_of(work_dir, step.name) is None]
    for step in steps:
        if step not in todo:
            print(f'{step.title}: done before')
    progress = tasks.Progress(todo, planned['streams'], seconds=True)
    failed = tasks.TaskRunner(work_dir, progress,
                              planned['threads']).run_all()
    if failed:
        raise UserError('\n'.join(failed))
    report.report(settings, protocol, sets, planned)


if __name__ == '__main__':
    try:
        sys.exit(run_cleanly(main))
    except KeyboardInterrupt:
        sys.exit('Interrupted. The same command resumes here.')
