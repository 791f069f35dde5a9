"""From pictures of words to a benchmark table; see tools/quickstart.sh."""
import time

PROCESS_START = time.time()  # before what takes seconds to import

# isort: split
import argparse  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Optional, Sequence  # noqa: E402

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

import _import_lmim  # noqa: E402,F401  (finds lmim without an installation)

# isort: split
import plan  # noqa: E402
from report import report  # noqa: E402
from settings import parse  # noqa: E402

from lmim.cli.compare import Compare  # noqa: E402
from lmim.engine.launch import run_cleanly  # noqa: E402
from lmim.utils.errors import UserError  # noqa: E402


def render(settings: argparse.Namespace, samples: Sequence[int]) -> None:
    """Draw words, once: dark on light, of 3 to 5 letters.

    Raises:
        UserError: If it fails.
    """
    folder = Path(settings.work_dir, 'data')
    if (folder / 'test.lmdb').exists():
        return
    done = subprocess.run([
        sys.executable, '-m', 'lmim', 'data', 'render', str(folder),
        '--train', str(samples[0]), '--test', str(samples[1]), '--seed',
        str(settings.seed), '--style', 'print', '--min-length', '3',
        '--max-length', '5', '--overwrite'])
    if done.returncode:
        raise UserError('The words could not be rendered; see above')


def main(argv: Optional[Sequence[str]] = None) -> None:
    """Run the quick start.

    Raises:
        UserError: If a step fails.
    """
    settings = parse(argv)
    planned = plan.plan(settings, PROCESS_START)
    print(plan.describe(planned), flush=True)
    if not settings.labelled:
        render(settings, planned['samples'])
    found = Compare().run(argparse.Namespace(
        config=str(plan.CONFIG), work_dir=Path(settings.work_dir),
        methods=['scratch', settings.method], seeds=[settings.seed],
        labels=None, unlabelled=None, labelled=None,
        final=not settings.labelled, workers=planned['streams'],
        threads=planned['threads'], prefix='', dry_run=False,
        cfg_options=plan.changes(settings, planned)))
    if found['failed']:
        raise UserError('\n'.join(found['failed']))
    report(settings, planned, found)


if __name__ == '__main__':
    try:
        sys.exit(run_cleanly(main))
    except KeyboardInterrupt:
        sys.exit('Interrupted. The same command resumes here.')
