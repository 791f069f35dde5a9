"""From pictures of words to a benchmark table; see tools/quickstart.sh."""
import json
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

import _import_lmim  # noqa: E402,F401  (finds lmim without an installation)

# isort: split
import report  # noqa: E402
import stages  # noqa: E402
from pictures import Sets, choose, is_labelled, spec_of  # noqa: E402
from running import NOMINAL, Progress, kept, run  # noqa: E402
from settings import Settings, parse  # noqa: E402
from splitting import split  # noqa: E402

from lmim.engine.fileio import write_atomic  # noqa: E402
from lmim.engine.launch import run_cleanly  # noqa: E402


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
        todo = [name for name in NOMINAL if name in wanted
                and self._kept(name) is None]
        self.progress = Progress(todo)
        self.wanted = wanted

    def _kept(self, name: str) -> Optional[Dict[str, Any]]:
        return kept(self.settings.work_dir, name)

    def run(self) -> None:
        """Do what is wanted and not done yet."""
        for name in NOMINAL:
            if name not in self.wanted:
                continue
            done = self._kept(name)
            if done is not None:
                print(f'{name}: done before, in {done["seconds"]:.0f} s')
            elif name == 'data' and self._splits():
                self._split()
            else:
                run(self._stage(name), self.settings.work_dir, self.progress)
        if 'report' in self.settings.stages:
            self._report()

    def _stage(self, name: str) -> stages.Stage:
        if name == 'data':
            return stages.render(self.settings)
        if name.startswith('evaluate-'):
            return stages.evaluate(self.settings, self.sets,
                                   name[len('evaluate-'):])
        return getattr(stages, name)(self.settings, self.sets)

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
        done = {name: self._kept(name) for name in NOMINAL}
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
        sys.exit('Interrupted. The same command goes on from here.')
