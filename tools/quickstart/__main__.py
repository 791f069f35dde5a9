"""From pictures of words to a benchmark table; see tools/quickstart.sh."""
import time

PROCESS_START = time.time()  # before what takes seconds to import

# isort: split
import json  # noqa: E402
import sys  # noqa: E402
from functools import partial  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, Dict, List, Optional, Sequence  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

import _import_lmim  # noqa: E402,F401  (finds lmim without an installation)

# isort: split
import plan  # noqa: E402
import report  # noqa: E402
import stages  # noqa: E402
from pictures import Sets, choose, is_labelled, spec_of, split  # noqa: E402
from running import Progress, Runner, kept  # noqa: E402
from settings import Settings, parse  # noqa: E402

from lmim.utils.atomic import write_atomic  # noqa: E402
from lmim.engine.launch import run_cleanly  # noqa: E402


#: All steps, in the order of a single stream.
STEPS = ('data', 'mae', 'lmim', 'finetune', 'scratch', 'evaluate-finetune',
         'evaluate-scratch')


class QuickStart:
    """The steps of a run, each done once.

    Args:
        settings (Settings): What was asked for.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.sets: Sets = choose(settings.data, settings.image_root,
                                 settings.work_dir)
        wanted: List[str] = []
        for name in settings.stages:
            if name == 'evaluate':
                wanted += ['evaluate-finetune', 'evaluate-scratch']
            elif name != 'report':
                wanted.append(name)
        self.wanted = [name for name in STEPS if name in wanted]

    def _kept(self, name: str) -> Optional[Dict[str, Any]]:
        return kept(self.settings.work_dir, name)

    def run(self) -> None:
        """Do what is wanted and not done yet."""
        todo = []
        for name in self.wanted:
            done = self._kept(name)
            if done is None:
                todo.append(name)
            else:
                print(f'{name}: done before, in {done["seconds"]:.0f} s')
        if todo:
            self._do(todo)
        if 'report' in self.settings.stages:
            self._report()

    def _do(self, todo: List[str]) -> None:
        self.plan = plan.plan(self.settings, PROCESS_START)
        print(plan.describe(self.plan), flush=True)
        if todo[0] == 'data' and self._splits():
            self._split()
            todo = todo[1:]
        first = [name for name in todo if name == 'data']
        later = [name for name in todo if name != 'data']
        streams = plan.streams(later, self.plan['streams'])
        progress = Progress([first + streams[0], *streams[1:]],
                            self.plan['seconds'])
        runner = Runner(self.settings.work_dir, progress,
                        self.plan['threads'])
        for group in ([first], streams):
            runner.run_streams([[partial(self._stage, name) for name in names]
                                for names in group])

    def _stage(self, name: str) -> stages.Stage:
        if name == 'data':
            return stages.render(self.settings, self.plan)
        if name.startswith('evaluate-'):
            return stages.evaluate(self.settings, self.sets,
                                   name[len('evaluate-'):])
        return getattr(stages, name)(self.settings, self.sets, self.plan)

    def _splits(self) -> bool:
        data = self.settings.data
        return data is not None and is_labelled(
            data, self.settings.image_root)

    def _split(self) -> None:
        """Make a user's labelled pictures into two LMDBs."""
        settings = self.settings
        start = time.monotonic()
        data = str(settings.data)
        unreadable = split(spec_of(data, settings.image_root),
                           settings.work_dir / 'data')
        counts = self.sets.counts()
        print(f'{data}: {counts["train"]} pictures to train on, '
              f'{counts["test"]} to test on; {len(unreadable)} cannot be '
              'read' + ''.join(f'\n  {name}' for name in unreadable[:5]))
        seconds = max(time.monotonic() - start, 1e-3)
        images = counts['train'] + counts['test']
        write_atomic(
            settings.work_dir / 'data/done.json',
            json.dumps(dict(
                seconds=round(seconds, 1), images=images,
                images_per_second=round(images / seconds, 1),
                unreadable=unreadable)).encode())

    def _report(self) -> None:
        done = {name: self._kept(name) for name in STEPS}
        stages_done = {name: about for name, about in done.items() if about}
        unreadable = stages_done.get('data', {}).pop('unreadable', [])
        summary = report.summarize(self.settings, self.sets, stages_done,
                                   unreadable)
        report.tell(self.settings, self.sets, summary,
                    report.draw(self.settings, self.sets))


def main(argv: Optional[Sequence[str]] = None) -> None:
    """Run the quick start."""
    settings = parse(argv)
    start = QuickStart(settings)
    settings.keep()
    start.run()


if __name__ == '__main__':
    try:
        sys.exit(run_cleanly(main))
    except KeyboardInterrupt:
        sys.exit('Interrupted. The same command resumes here.')
