"""MMOCR's metrics of words, which give no credit for nothing read.

MMOCR deletes from label and reading what ``valid_symbol`` matches, and then
compares. Of a label in another script nothing is left, and a recognizer that
reads nothing would have read it.
"""
import re
import sys
import unicodedata
from functools import lru_cache
from itertools import groupby
from typing import (Any, Dict, Iterable, List, Optional, Pattern, Sequence,
                    Union)

from mmengine.evaluator import BaseMetric
from mmocr.evaluation import metrics as mmocr_metrics
from mmocr.registry import METRICS

from lmim.utils.errors import UserError

#: The first letters of Unicode's categories of what makes up words: letters,
#: marks, which are vowels in some scripts, and numbers.
WORD_CATEGORIES = 'LMN'


def _label(sample: Any) -> str:
    return sample.get('gt_text').get('item')


def _read(sample: Any) -> str:
    return sample.get('pred_text').get('item')


@METRICS.register_module(force=True)
class WordMetric(mmocr_metrics.WordMetric):
    """MMOCR's metric, in its place: a label that is empty is never read.

    In each mode a word whose label is empty, or of which the mode's rules
    leave nothing, counts as misread whatever was read. The arguments are
    those of MMOCR's.
    """

    def process(self, data_batch: Optional[Sequence[Dict]],
                data_samples: Sequence[Dict]) -> None:
        """Count words in, by ``gt_text.item`` and ``pred_text.item``."""
        first = len(self.results)
        super().process(data_batch, data_samples)
        for result, label in zip(self.results[first:],
                                 map(_label, data_samples)):
            if not label:
                result.update(match_num=0, match_ignore_case_num=0)
            if not self.valid_symbol.sub('', label.lower()):
                result['match_ignore_case_symbol_num'] = 0


@METRICS.register_module(force=True)
class OneMinusNEDMetric(mmocr_metrics.OneMinusNEDMetric):
    """MMOCR's metric, in its place: 0 for a label of which nothing is left.

    The arguments are those of MMOCR's.
    """

    def process(self, data_batch: Optional[Sequence[Dict]],
                data_samples: Sequence[Dict]) -> None:
        """Count words in, by ``gt_text.item`` and ``pred_text.item``."""
        first = len(self.results)
        super().process(data_batch, data_samples)
        for result, label in zip(self.results[first:],
                                 map(_label, data_samples)):
            if not self.valid_symbol.sub('', label.lower()):
                result['norm_ed'] = 1.


@lru_cache(maxsize=None)
def word_symbols() -> Pattern[str]:
    """A pattern of all that is no letter, mark or number in any script.

    Python's own class of these would do, had it the marks. Of ASCII it leaves
    what ``[^A-Za-z0-9]`` does.
    """
    marks = [code for code in range(sys.maxunicode + 1)
             if unicodedata.category(chr(code))[0] == 'M']
    runs = [[code for _, code in run] for _, run in groupby(
        enumerate(marks), lambda one: one[1] - one[0])]
    return re.compile(r'[^\w{}]|_'.format(
        ''.join(f'{chr(run[0])}-{chr(run[-1])}' for run in runs)))


@METRICS.register_module()
class UnicodeWordMetric(WordMetric):
    """Accuracy that keeps the letters, marks and digits of every script.

    Where words are of ASCII its figures are those of ``WordMetric`` with
    ``valid_symbol='[^A-Za-z0-9]'``; its keys are the same.

    Args:
        mode (str or Sequence[str]): As of ``WordMetric``. Defaults to
            ``('exact', 'ignore_case_symbol')``.
    """

    def __init__(self, mode: Union[str, Sequence[str]] = (
            'exact', 'ignore_case_symbol'), **kwargs: Any) -> None:
        super().__init__(mode=mode, **kwargs)
        self.valid_symbol = word_symbols()


@METRICS.register_module()
class UnicodeOneMinusNEDMetric(OneMinusNEDMetric):
    """1-NED of the letters, marks and digits of every script.

    The arguments are ``collect_device`` and ``prefix`` of ``BaseMetric``.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.valid_symbol = word_symbols()


@METRICS.register_module()
class RunMetric(BaseMetric):
    """Whether a character that repeats, as in '1111', is read as often.

    Recognizers that write a character after the other lose their place in
    runs: they drop or double characters. Counted are words with a run of
    ``least`` characters or more, in letters of either case:

    - ``run_length_acc``: share whose reading has the same runs, each of the
      same length, whatever else was read.
    - ``run_too_short``, ``run_too_long``: share that was read with fewer
      characters in all, or more.
    - ``word_acc_without_runs``: exact accuracy of all other words.

    A set without such words has none of these.

    Args:
        least (int): Characters that make a run. Defaults to 3, as two in a
            row are common.
        **kwargs: ``collect_device`` and ``prefix`` of ``BaseMetric``.

    Raises:
        UserError: If one character would be a run.
    """

    default_prefix = 'recog'
    #: What there may be.
    figures = ('run_length_acc', 'run_too_short', 'run_too_long',
               'word_acc_without_runs')

    def __init__(self, least: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if least < 2:
            raise UserError(f'a run has 2 characters or more, not {least}')
        self.least = least

    def process(self, data_batch: Optional[Sequence[Dict]],
                data_samples: Sequence[Dict]) -> None:
        """Count words in, by ``gt_text.item`` and ``pred_text.item``."""
        self.results += [(_label(sample), _read(sample))
                         for sample in data_samples]

    def compute_metrics(self, results: List[Any]) -> Dict[str, float]:
        """The shares above."""
        runs = [pair for pair in results if self._runs(pair[0])]
        others = [pair for pair in results if not self._runs(pair[0])]
        if not runs:
            return {}
        found = dict(
            run_length_acc=sum(self._runs(label) == self._runs(read)
                               for label, read in runs) / len(runs),
            run_too_short=sum(len(read) < len(label)
                              for label, read in runs) / len(runs),
            run_too_long=sum(len(read) > len(label)
                             for label, read in runs) / len(runs))
        if others:
            found['word_acc_without_runs'] = sum(
                label == read for label, read in others) / len(others)
        return found

    def _runs(self, text: str) -> List[int]:
        """Lengths of the runs of a text, in order."""
        lengths = (len(list(run)) for _, run in groupby(text.lower()))
        return [length for length in lengths if length >= self.least]


def build_metrics(evaluator: Any) -> List[BaseMetric]:
    """Build the metrics in the config of an evaluator, of whatever form."""
    if isinstance(evaluator, dict) and 'metrics' in evaluator:
        evaluator = evaluator['metrics']
    listed = evaluator if isinstance(evaluator, (list, tuple)) else [evaluator]
    return [METRICS.build(one) for one in listed if one]


def deleted_message(metrics: Iterable[BaseMetric],
                    characters: Iterable[str]) -> Optional[str]:
    """What metrics delete of the letters, marks and digits of a dictionary.

    Args:
        metrics (Iterable[BaseMetric]): Of an evaluator.
        characters (Iterable[str]): What the recognizer writes.

    Returns:
        str, optional: Which are deleted, what that does, and what to use
        instead; None where nothing is.
    """
    patterns = [metric.valid_symbol for metric in metrics
                if hasattr(metric, 'valid_symbol') and 'ignore_case_symbol'
                in getattr(metric, 'mode', {'ignore_case_symbol'})]
    words = sorted(char for char in characters if len(char) == 1
                   and unicodedata.category(char)[0] in WORD_CATEGORIES)
    deleted = [char for char in words if any(
        not pattern.sub('', char.lower()) for pattern in patterns)]
    if not deleted:
        return None
    shown = ''.join(deleted[:40]) + (' ...' if len(deleted) > 40 else '')
    return (
        f'The metrics delete {len(deleted):,} of the {len(words):,} letters, '
        f'marks and digits of the dictionary before they compare words: '
        f'{shown}\nWords that differ only in these count as read, and words '
        'of nothing else never do: accuracies and the best checkpoint are '
        "wrong. Use metrics that keep them: dict(type='UnicodeWordMetric') "
        "and dict(type='UnicodeOneMinusNEDMetric') (letters and digits of "
        "every script), or dict(type='WordMetric', mode='exact') (whole "
        'strings), as metrics of val_evaluator and test_evaluator.')
