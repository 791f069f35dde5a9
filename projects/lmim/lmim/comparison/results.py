"""What came out of a comparison: tables, a picture, and JSON."""
from pathlib import Path
from statistics import mean, stdev
from typing import Any, Dict, Iterable, List, Optional, Sequence

import numpy as np
from matplotlib.figure import Figure

from lmim.evaluation.benchmark_table import aligned
from lmim.utils.atomic import write_atomic
from lmim.utils.json_text import to_json
from lmim.visualization import save_picture

from .protocol import Protocol
from .runs import finetuning_name, pretraining_name
from .tasks import result_of

#: The average over all sets, by words.
AVERAGE = 'W-Avg'


class Results:
    """The runs of a comparison in a folder that are done, of one stage."""

    def __init__(self, protocol: Protocol, work_dir: Path,
                 stage: str) -> None:
        self.protocol, self.stage = protocol, stage
        self.runs: List[Dict[str, Any]] = []
        self.pretrainings: List[Dict[str, Any]] = []
        for seed in protocol.seeds:
            for name in protocol.pretrained():
                done = result_of(work_dir, pretraining_name(name, seed))
                if done:
                    self.pretrainings.append(
                        dict(method=name, seed=seed, **done))
            for count in protocol.labels:
                for name in protocol.compared:
                    done = result_of(work_dir, finetuning_name(
                        stage, name, count, seed))
                    if done:
                        self.runs.append(dict(
                            method=name, labels=count.name, seed=seed,
                            **done))

    def figures(self, method: str, labels: str, name: str = AVERAGE
                ) -> Dict[int, float]:
        """WAICS in per cent by seed, on a set or on all words."""
        found = {}
        for run in self.runs:
            if run['method'] == method and run['labels'] == labels:
                sets = ([*run['sets'].values()] if name == AVERAGE else
                        [run['sets'][name]])
                found[run['seed']] = float(np.average(
                    [each['waics'] for each in sets],
                    weights=[each['words'] for each in sets]))
        return found

    @property
    def sets(self) -> Dict[str, int]:
        """Dict[str, int]: The sets and their numbers of words."""
        return {name: about['words'] for run in self.runs[:1]
                for name, about in run['sets'].items()}

    def seconds(self, method: str) -> Optional[float]:
        """Mean seconds of a pre-training, its teacher's included."""
        about = self.protocol.methods[method]
        names = [name for name in (about.teacher, method) if name]
        means = [[run['seconds'] for run in self.pretrainings
                  if run['method'] == name] for name in names]
        return sum(map(mean, means)) if all(means) else None

    def label_table(self) -> str:
        """A row for each method, a column for each number of labels."""
        counts = [count.name for count in self.protocol.labels]
        rows = [['method', *(f'{name} labels' for name in counts),
                 'pre-training']]
        for method in self.protocol.compared:
            seconds = (self.seconds(method)
                       if self.protocol.methods[method].config else 0.)
            rows.append([
                method, *(spread(self.figures(method, name).values())
                          for name in counts),
                '-' if not seconds else f'{seconds:.0f} s'])
        return markdown(rows)

    def set_table(self, labels: str) -> str:
        """A row for each method, a column for each set."""
        names = list(self.sets)
        rows = [['method', *(f'{name} ({words:,})' for name, words
                             in self.sets.items()), AVERAGE]]
        for method in self.protocol.compared:
            rows.append([method, *(
                spread(self.figures(method, labels, name).values())
                for name in [*names, AVERAGE])])
        return markdown(rows)

    def probe_table(self) -> str:
        """A row for each pre-training with what its probes found."""
        probed = [run for run in self.pretrainings if run.get('probes')]
        if not probed:
            return ''
        keys = list(probed[0]['probes'])
        rows = [['method', *keys]]
        for method in dict.fromkeys(run['method'] for run in probed):
            found = [run['probes'] for run in probed
                     if run['method'] == method]
            rows.append([method, *(
                spread([each[key] for each in found if key in each], 3)
                for key in keys)])
        return markdown(rows)

    def page(self) -> str:
        """All tables, in Markdown."""
        seeds = ', '.join(map(str, self.protocol.seeds))
        words = sum(self.sets.values())
        parts = ['WAICS in %, mean ± standard deviation over seeds '
                 f'({seeds}), all {words:,} test words:',
                 self.label_table()]
        if len(self.sets) > 1:
            for count in self.protocol.labels:
                parts += [f'By set, {count.name} labels:',
                          self.set_table(count.name)]
        if self.probe_table():
            parts += ['The encoders, before fine-tuning:', self.probe_table()]
        return '\n\n'.join(parts) + '\n'

    def curve(self) -> Figure:
        """Accuracy against the number of labels, a line a method."""
        figure = Figure(figsize=(6.4, 4.2), layout='constrained')
        axis = figure.subplots()
        counts = [count.name for count in self.protocol.labels]
        for method in self.protocol.compared:
            found = [(name, list(self.figures(method, name).values()))
                     for name in counts]
            found = [(name, values) for name, values in found if values]
            axis.errorbar(
                [counts.index(name) for name, _ in found],
                [mean(values) for _, values in found],
                yerr=[stdev(values) if len(values) > 1 else 0.
                      for _, values in found],
                marker='o', capsize=3, label=method)
        axis.set_xticks(range(len(counts)), counts)
        axis.set(xlabel='labelled words', ylabel='WAICS (%)',
                 title='How many labels do I need?')
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
        axis.legend()
        return figure

    def write(self, work_dir: Path) -> List[Path]:
        """Write STAGE.md, STAGE.json and STAGE.png into a folder."""
        if not self.runs:
            return []
        paths = [work_dir / f'{self.stage}.{end}'
                 for end in ('md', 'json', 'png')]
        write_atomic(paths[0], self.page().encode())
        write_atomic(paths[1], to_json(
            dict(runs=self.runs, pretrainings=self.pretrainings),
            indent=1).encode())
        save_picture(self.curve(), paths[2])
        return paths


def spread(values: Iterable[float], digits: int = 1) -> str:
    """Mean and standard deviation of a sample, in words."""
    values = list(values)
    if not values:
        return 'not run'
    text = f'{mean(values):.{digits}f}'
    return text if len(values) < 2 else (
        f'{text} ± {stdev(values):.{digits}f}')


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table of words and figures; the first row heads."""
    return '\n'.join(aligned(rows, numbers=False))
