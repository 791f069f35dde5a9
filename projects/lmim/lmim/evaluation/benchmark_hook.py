"""After a test: tables of the benchmarks, and the words that were misread."""
import os.path as osp
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel
from mmengine.runner import Runner
from mmocr.registry import HOOKS

from lmim.datasets.labels.spelling import spelling_of
from lmim.utils.atomic import write_atomic

from .benchmark_evaluator import BenchmarkEvaluator
from .benchmark_table import (SetResult, make_tables, results_by_length,
                              write_tables)
from .misread_sheet import misread_sheet


@HOOKS.register_module()
class BenchmarkHook(Hook):
    """Turn what :class:`BenchmarkEvaluator` recorded into tables.

    A test ends with a table for each benchmark and kind of labels, in the
    log, and in the work dir as ``CHECKPOINT_benchmark.md``, ``.csv`` and
    ``.json``; misread words with their pictures are in
    ``CHECKPOINT_misread.html``. Test-time augmentation adds ``_tta`` to the
    names. What a set is called, how many words it has and whose labels they
    are comes from ``published`` of its data set; a set without is called by
    its prefix. In validation during training, and with evaluators of other
    kinds, nothing is done.

    Args:
        max_misread (int): How many misread words of each set are shown; 0
            for no sheet. Defaults to 50.
        by_length (Sequence[int]): Adds a table of all sets' words by the
            number of characters of their labels: up to each of these
            numbers, and longer ones. Defaults to (), no such table.
    """

    # After the hooks that log the metrics, so that the table comes last.
    priority = 'LOWEST'

    def __init__(self, max_misread: int = 50,
                 by_length: Sequence[int] = ()) -> None:
        self.max_misread = max_misread
        self.by_length = tuple(by_length)

    def before_train(self, runner: Runner) -> None:
        """Check the prefixes for validation, before an epoch is trained."""
        evaluator = _evaluator(runner.val_loop)
        if evaluator is not None:
            evaluator.check_prefixes(len(_sets(runner.val_dataloader)))

    def before_test(self, runner: Runner) -> None:
        """Have the evaluator record words."""
        evaluator = _evaluator(runner.test_loop)
        if evaluator is None:
            return
        evaluator.check_prefixes(len(_sets(runner.test_dataloader)))
        recognizer = _wrapped(runner.model)[-1]
        evaluator.spelling = spelling_of(getattr(recognizer, 'decoder', None))
        evaluator.recording = True

    def after_test_epoch(self,
                         runner: Runner,
                         metrics: Optional[Dict[str, float]] = None) -> None:
        """Make, log and write tables and sheet; ``metrics`` is not used."""
        evaluator = _evaluator(runner.test_loop)
        if evaluator is None or not is_main_process():
            return
        datasets = _sets(runner.test_dataloader)
        facts: List[Dict[str, Any]] = [
            getattr(dataset, 'published', None) or {} for dataset in datasets]
        results = [
            SetResult.count(fact.get('name', prefix), records, fact)
            for fact, prefix, records in zip(
                facts, evaluator.dataset_prefixes, evaluator.records)]
        tables = make_tables(
            [*zip(results, facts), *results_by_length(
                [record for records in evaluator.records
                 for record in records], self.by_length)],
            evaluator.protocol, evaluator.spelling)
        checkpoint = str(runner.cfg.get('load_from') or 'model')
        augmented = any(isinstance(model, BaseTTAModel)
                        for model in _wrapped(runner.model))
        stem = osp.join(
            runner.work_dir,
            Path(checkpoint).stem + ('_tta' if augmented else ''))
        page = write_tables(f'{stem}_benchmark', tables, checkpoint=checkpoint,
                            test_time_augmentation=augmented)
        written = f'Written to {stem}_benchmark.md, .csv and .json'
        if self.max_misread > 0:
            titles = [
                result.name +
                (f', {fact["labels"]} labels' if 'labels' in fact else '')
                for result, fact in zip(results, facts)]
            sheet = misread_sheet(
                f'Misread by {checkpoint}', evaluator.protocol.rules,
                list(zip(titles, datasets, evaluator.records)),
                self.max_misread)
            write_atomic(f'{stem}_misread.html', sheet.encode('utf-8'))
            written += f'; misread words are in {stem}_misread.html'
        runner.logger.info(f'Benchmarks\n\n{page}\n{written}')


def _evaluator(loop: Any) -> Optional[BenchmarkEvaluator]:
    """The evaluator of a loop, if it is one of ours."""
    evaluator = getattr(loop, 'evaluator', None)
    return evaluator if isinstance(evaluator, BenchmarkEvaluator) else None


def _sets(dataloader: Any) -> Sequence[Any]:
    """The data sets that a dataloader joins, in their order."""
    dataset = dataloader.dataset
    return getattr(dataset, 'datasets', [dataset])


def _wrapped(model: Any) -> List[Any]:
    """A model and those inside it: of DDP, of test-time augmentation."""
    models = [model]
    while hasattr(models[-1], 'module'):
        models.append(models[-1].module)
    return models
