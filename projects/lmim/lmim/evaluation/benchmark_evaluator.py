"""MMOCR's evaluator of several sets: protocol, and what each word was."""
from typing import Any, Callable, List, NamedTuple, Optional, Sequence

import torch
from mmengine.dist import collect_results, is_main_process
from mmengine.evaluator import BaseMetric, DumpResults
from mmocr.evaluation.evaluator import MultiDatasetsEvaluator
from mmocr.evaluation.metrics import WordMetric
from mmocr.registry import EVALUATOR
from rapidfuzz.distance import Levenshtein

from lmim.datasets.labels.spelling import Spelling
from lmim.utils.errors import UserError

from .word_metrics import word_symbols

#: What is left by the patterns of ``WordMetric`` that are in use.
KEPT = {
    '[^A-Za-z0-9]': 'letters and digits',
    '[^A-Za-z0-9\u4e00-\u9fa5]': 'letters and digits',
    # MMOCR's default. The ^ within the brackets is taken as a character.
    '[^A-Z^a-z^0-9^\u4e00-\u9fa5]': 'letters, digits and ^',
}


class Protocol(NamedTuple):
    """How accuracy is measured.

    A word is read where label and reading are equal after ``normalize``, and
    something is left of them.
    """
    accuracy: str  # what the accuracy is called
    rules: str  # what is done to label and reading, in words
    normalize: Callable[[str], str]  # the same, done


def protocol_of(metrics: Sequence[BaseMetric]) -> Protocol:
    """The protocol of the first ``WordMetric`` among an evaluator's metrics.

    Of several modes it is the most lenient one, by which benchmarks are
    compared: ``ignore_case_symbol``, then ``ignore_case``, then ``exact``.

    Raises:
        UserError: If there is no ``WordMetric``.
    """
    metric = next((one for one in metrics if isinstance(one, WordMetric)),
                  None)
    if metric is None:
        raise UserError(
            'BenchmarkEvaluator needs a WordMetric among its metrics, or a '
            'kind of it, to know which words count as read')
    if hasattr(metric, 'protocol'):
        return metric.protocol
    if 'ignore_case_symbol' in metric.mode:
        pattern = metric.valid_symbol
        kept = ('letters and digits of every script'
                if pattern is word_symbols() else KEPT.get(pattern.pattern))
        dropped = (f'everything but {kept} dropped' if kept else
                   f'what matches {pattern.pattern} dropped')
        return Protocol('WAICS', f'case ignored, {dropped}',
                        lambda text: pattern.sub('', text.lower()))
    if 'ignore_case' in metric.mode:
        return Protocol('Accuracy', 'case ignored', str.lower)
    return Protocol('Accuracy', 'case and symbols count', str)


class WordRecord(NamedTuple):
    """What tables and sheets need to know of one word."""
    label: str  # what is written
    read: str  # what the recognizer read
    #: The mean of its characters' scores, as MMOCR's test-time augmentation
    #: takes it; 0 where nothing was read, None where there are no scores.
    confidence: Optional[float]
    correct: bool  # whether it was read, by the protocol
    exact: bool  # whether it was read to the letter
    #: Edit distance after the protocol's rules, from 0 to 1: divided by the
    #: length of the longer text.
    distance: float
    too_long: bool  # whether the recognizer cannot write so many characters
    empty: bool  # whether the rules leave nothing of the label
    outside: bool  # whether characters of it are not in the dictionary


@EVALUATOR.register_module()
class BenchmarkEvaluator(MultiDatasetsEvaluator):
    """MMOCR's evaluator of several sets, for tables of benchmarks.

    Metrics and their names are those of ``MultiDatasetsEvaluator``. While
    :class:`BenchmarkHook` has it record, it keeps what the table is made of.
    A ``DumpResults`` among the metrics writes one file for all sets, where
    ``MultiDatasetsEvaluator`` would write one for each over the last.

    Args:
        metrics (dict or BaseMetric or Sequence): Among them a ``WordMetric``
            or a kind of it; its rules are those of the table.
        dataset_prefixes (Sequence[str]): One for each set.

    Attributes:
        recording (bool): Whether words are kept.
        spelling (Spelling, optional): What the recognizer can write.
        records (List[List[WordRecord]]): The words of each set after
            :meth:`evaluate`, in their order; empty on all processes but the
            main one.

    Raises:
        UserError: If there is no ``WordMetric``.
    """

    metrics: List[BaseMetric]

    def __init__(self, metrics: Any, dataset_prefixes: Sequence[str]) -> None:
        super().__init__(metrics, dataset_prefixes)
        self.protocol = protocol_of(self.metrics)
        self.recording = False
        self.spelling: Optional[Spelling] = None
        self.records: List[List[WordRecord]] = []
        self._recorded: List[WordRecord] = []

    def check_prefixes(self, num_sets: int) -> None:
        """Raise a UserError unless there is a prefix for each set."""
        given = self.dataset_prefixes
        if isinstance(given, (list, tuple)) and len(given) == num_sets:
            return
        raise UserError(
            f'The evaluator needs a prefix for each of {num_sets} set(s), in '
            f'their order, and has {given!r}. Set dataset_prefixes of '
            'val_evaluator and test_evaluator.')

    def process(self, data_samples: Sequence[Any],
                data_batch: Optional[Any] = None) -> None:
        """Hand a batch to the metrics; keep its ``gt_text``, ``pred_text``."""
        super().process(data_samples, data_batch)
        if self.recording:
            self._recorded += [self._record(word) for word in data_samples]

    def _record(self, word: Any) -> WordRecord:
        """Compare the label of a word with what was read."""
        label = word.get('gt_text').get('item')
        prediction = word.get('pred_text')
        read = prediction.get('item')
        wanted, got = map(self.protocol.normalize, (label, read))
        too_long = outside = False
        if self.spelling is not None:
            length = self.spelling.max_length
            case = self.spelling.letter_case
            text = label if case == 'unchanged' else getattr(label, case)()
            too_long = length is not None and len(text) > length
            outside = not self.spelling.characters.issuperset(text)
        confidence = prediction.get('score')
        if confidence is not None:  # a model may give any kind of numbers
            scores = torch.as_tensor(confidence, dtype=torch.float64)
            confidence = scores.mean().item() if scores.numel() else 0.
        return WordRecord(
            label, read, confidence, bool(wanted) and wanted == got,
            bool(label) and label == read,
            Levenshtein.normalized_distance(wanted, got) if wanted else 1.,
            too_long, not wanted, outside)

    def evaluate(self, size: int) -> dict:
        """Compute all metrics and collect the words of all processes.

        There are ``size`` words in all sets. Metrics are called as
        ``prefix/recog/word_acc``.
        """
        recorded, self._recorded, self.records = self._recorded, [], []
        if self.recording:
            everything = collect_results(recorded, size, 'cpu')
            if is_main_process():
                # The words of all sets come in order.
                ends = (self.dataset_meta or {}).get('cumulative_sizes',
                                                     [size])
                self.records = [everything[start:end] for start, end
                                in zip([0, *ends[:-1]], ends)]
        whole = self.metrics
        dumps = [one for one in whole if isinstance(one, DumpResults)]
        self.metrics = [one for one in whole if one not in dumps]
        try:
            metrics = super().evaluate(size)
        finally:
            self.metrics = whole
        for dump in dumps:
            dump.evaluate(size)
        return metrics
