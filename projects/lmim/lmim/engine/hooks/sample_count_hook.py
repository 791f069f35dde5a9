"""How many records each data set has, beside the published number."""
from typing import Any, List, NamedTuple, Optional, Set

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner
from mmocr.registry import HOOKS

from lmim.datasets.labels.reading import innermost


class _Row(NamedTuple):
    """A line of the table."""
    name: str
    labels: str
    records: int
    published: Optional[int]


@HOOKS.register_module()
class SampleCountHook(Hook):
    """Say how many records each data set has, and how many it should have.

    Benchmarks are handed out in versions that silently differ: IC13 with 857
    or 1,015 images, IC15 with 1,811 or 2,077, labels as published or
    corrected. Accuracies on different ones cannot be compared. The table goes
    to the log before training, validation or test begins; a set whose number
    is not the published one (``published`` of ``TextImageDataset``) is named
    in a warning. Data sets of other classes are listed with their number.
    """

    def __init__(self) -> None:
        self._told: Set[str] = set()

    def before_train(self, runner: Runner) -> None:
        """Tell of the training set, and of the validation set if any.

        Args:
            runner (Runner): The runner of the training process.
        """
        self._tell(runner, 'training', runner.train_loop)
        self._tell(runner, 'validation', runner.val_loop)

    def before_val(self, runner: Runner) -> None:
        """Tell of the validation set, once."""
        self._tell(runner, 'validation', runner.val_loop)

    def before_test(self, runner: Runner) -> None:
        """Tell of the test sets."""
        self._tell(runner, 'test', runner.test_loop)

    @master_only
    def _tell(self, runner: Runner, use: str,
              loop: Optional[BaseLoop]) -> None:
        """Log the table of a loop's data sets, and what differs in it."""
        if loop is None or use in self._told:
            return
        self._told.add(use)
        rows = [_row(each) for each in innermost(loop.dataloader.dataset)]
        if not rows:
            return
        runner.logger.info(f'Data sets for {use}:\n{_table(rows)}')
        for row in rows:
            if row.published not in (None, row.records):
                runner.logger.warning(
                    f'{row.name} has {row.records:,} records, and '
                    f'{row.published:,} are published: results are not '
                    'comparable with published ones. `python tools/data.py '
                    'verify` looks closer.')


def _row(dataset: Any) -> _Row:
    """What is known of a data set."""
    facts = getattr(dataset, 'published', None) or {}
    name = facts.get('name')
    if name is None:
        source = getattr(dataset, 'source', None)
        name = getattr(source, 'path', None) or getattr(
            dataset, 'ann_file', '') or type(dataset).__name__
    return _Row(name, facts.get('labels', '-'), len(dataset),
                facts.get('num_samples'))


def _table(rows: List[_Row]) -> str:
    """The rows below one another, as text."""
    cells = [('set', 'labels', 'records', 'published')] + [
        (row.name, row.labels, f'{row.records:,}',
         '-' if row.published is None else f'{row.published:,}')
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cells)]
    return '\n'.join(
        f'  {line[0]:<{widths[0]}}  {line[1]:<{widths[1]}}  '
        f'{line[2]:>{widths[2]}}  {line[3]:>{widths[3]}}' for line in cells)
