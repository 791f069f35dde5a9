"""The evaluator beside MMOCR's, and what it keeps of words."""
from pathlib import Path
from typing import Any, List

import mmengine
import pytest
import torch
import torch.distributed as dist
from mmocr.registry import EVALUATOR

from lmim.datasets.labels.spelling import Spelling
from tests.processes import needs_fork, run_on_processes

from .oracle import METRICS, word

WORDS = [
    word('Hotel', 'hotel', [0.9] * 5),
    word("Don't", 'DONT'),
    word('a^b', 'ab', [0.5, 0.7]),
    word('', '', []),
    word('&', '!', [0.2]),
    word('seventeen', 'seven', torch.tensor([0.5, 0.5, 1., 1., 1.])),
    word('exit', '', []),
]
ENDS = [3, 7]


def build(kind: str = 'BenchmarkEvaluator', **kwargs: Any) -> Any:
    evaluator = EVALUATOR.build(
        dict(dict(type=kind, metrics=METRICS, dataset_prefixes=['A', 'B']),
             **kwargs))
    evaluator.dataset_meta = dict(cumulative_sizes=ENDS)
    return evaluator


def evaluate(evaluator: Any, words: List[Any] = WORDS) -> dict:
    for start in range(0, len(words), 2):
        evaluator.process(words[start:start + 2])
    return evaluator.evaluate(len(WORDS))


def test_metrics_keep_the_names_and_values_of_mmocr() -> None:
    theirs = evaluate(build('MultiDatasetsEvaluator'))
    evaluator = build()
    assert evaluate(evaluator) == theirs
    assert evaluator.records == []  # nobody asked for them
    assert theirs['A/recog/word_acc_ignore_case_symbol'] == 1.
    assert theirs['B/recog/word_acc_ignore_case_symbol'] == 0.
    assert theirs['A/recog/word_acc'] == 0.


def test_words_are_kept_as_they_were_read() -> None:
    evaluator = build()
    evaluator.recording = True
    evaluator.spelling = Spelling(frozenset("Hotelseventx'aDb"), max_length=8)
    metrics = evaluate(evaluator)
    first, second = evaluator.records
    assert [len(first), len(second)] == [3, 4]
    for name, records in (('A', first), ('B', second)):
        # The table counts what the metrics count, unrounded.
        for key, values in {
                'word_acc_ignore_case_symbol': [r.correct for r in records],
                'word_acc': [r.exact for r in records],
                '1-N.E.D': [1 - r.distance for r in records]}.items():
            mean = sum(values) / len(values)
            assert metrics[f'{name}/recog/{key}'] == pytest.approx(
                mean, abs=5e-5), key
    assert [r.distance for r in second] == [1., 1., pytest.approx(4 / 9), 1.]
    assert [r.too_long for r in second] == [False, False, True, False]
    assert [r.empty for r in second] == [True, True, False, False]
    assert [r.outside for r in first] == [False, False, True]  # ^
    assert [r.outside for r in second] == [False, True, False, True]  # &, i
    assert [r[:3] for r in second if not r.correct] == [
        ('', '', 0.), ('&', '!', pytest.approx(0.2)),
        ('seventeen', 'seven', pytest.approx(0.8)), ('exit', '', 0.)]
    assert [r.confidence for r in first] == [
        pytest.approx(0.9), None, pytest.approx(0.6)]
    # Another run starts anew; nine characters are not more than nine.
    evaluator.spelling = Spelling(frozenset(), max_length=9)
    evaluate(evaluator)
    assert [len(one) for one in evaluator.records] == [3, 4]
    assert not any(r.too_long for one in evaluator.records for r in one)


@pytest.mark.parametrize('mode, label, read, same', [
    (['exact', 'ignore_case_symbol'], 'A-b^', 'ab', True),
    (['exact', 'ignore_case'], 'A-b', 'a-B', True),
    (['ignore_case'], 'A-b', 'ab', False),
    ('exact', 'A', 'a', False),
])
def test_protocol_is_the_most_lenient_of_the_modes(
        mode: Any, label: str, read: str, same: bool) -> None:
    evaluator = build(metrics=dict(METRICS[0], mode=mode))
    normalize = evaluator.protocol.normalize
    assert (normalize(label) == normalize(read)) is same


def test_protocols_are_told_in_words() -> None:
    own = build(metrics=dict(type='WordMetric')).protocol
    assert own.rules.endswith('everything but letters, digits and ^ dropped')
    assert own.normalize('a^b-') == 'a^b'
    with pytest.raises(ValueError, match='needs a WordMetric'):
        build(metrics=METRICS[1])


@needs_fork
def test_words_of_all_processes_come_in_order(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each evaluates every second word, as DefaultSampler hands them out."""
    monkeypatch.chdir(tmp_path)  # MMEngine leaves a folder there

    def run(rank: int) -> None:
        dist.init_process_group('gloo')
        evaluator = build()
        evaluator.recording = True
        # The last of an odd number is padded with the first.
        metrics = evaluate(evaluator, [*WORDS, WORDS[0]][rank::2])
        mmengine.dump([metrics, evaluator.records], f'{rank}.pkl')

    assert run_on_processes(2, run) == [0, 0]
    alone = build()
    alone.recording = True
    metrics = evaluate(alone)
    assert mmengine.load('0.pkl') == [metrics, alone.records]
    assert mmengine.load('1.pkl') == [metrics, []]
