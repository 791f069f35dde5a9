"""How two texts are compared before a word counts as read."""
from typing import Callable, NamedTuple, Sequence

from mmengine.evaluator import BaseMetric
from mmocr.evaluation.metrics import WordMetric

#: What is left by the patterns of ``WordMetric`` that are in use.
KEPT = {
    '[^A-Za-z0-9]': 'letters and digits',
    '[^A-Za-z0-9\u4e00-\u9fa5]': 'letters and digits',
    # MMOCR's default. The ^ within the brackets is taken as a character.
    '[^A-Z^a-z^0-9^\u4e00-\u9fa5]': 'letters, digits and ^',
}


class Protocol(NamedTuple):
    """How accuracy is measured.

    Attributes:
        accuracy (str): What the accuracy is called.
        rules (str): What is done to label and reading, in words.
        normalize (Callable[[str], str]): The same, done. A word is read where
            both are equal after it.
    """
    accuracy: str
    rules: str
    normalize: Callable[[str], str]


def protocol_of(metrics: Sequence[BaseMetric]) -> Protocol:
    """The protocol of the first ``WordMetric`` among the metrics.

    Of several modes it is the most lenient one, by which benchmarks are
    compared: ``ignore_case_symbol``, then ``ignore_case``, then ``exact``.

    Args:
        metrics (Sequence[BaseMetric]): The metrics of an evaluator.

    Raises:
        ValueError: If there is no ``WordMetric``.
    """
    for metric in metrics:
        if isinstance(metric, WordMetric):
            own = getattr(metric, 'protocol', None)
            return own or _of_word_metric(metric)
    raise ValueError(
        'BenchmarkEvaluator needs a WordMetric among its metrics, or a kind '
        'of it, to know which words count as read')


def _of_word_metric(metric: WordMetric) -> Protocol:
    """The protocol of MMOCR's metric, which depends on its modes."""
    if 'ignore_case_symbol' in metric.mode:
        pattern = metric.valid_symbol
        kept = KEPT.get(pattern.pattern)
        dropped = (f'everything but {kept} dropped' if kept else
                   f'what matches {pattern.pattern} dropped')
        return Protocol('WAICS', f'case ignored, {dropped}',
                        lambda text: pattern.sub('', text.lower()))
    if 'ignore_case' in metric.mode:
        return Protocol('Accuracy', 'case ignored', str.lower)
    return Protocol('Accuracy', 'case and symbols count', str)
