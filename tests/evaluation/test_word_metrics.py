"""Accuracy where the metric's rules leave nothing of a label."""
from typing import Any, List

import pytest
from mmengine.config import Config
from mmocr.evaluation import metrics as mmocr_metrics
from mmocr.registry import METRICS

from lmim.evaluation.benchmark_evaluator import protocol_of
from lmim.evaluation.word_metrics import build_metrics, deleted_message
from tests.tool_runs import mini_config

from .oracle import word

ASCII = dict(type='WordMetric', mode=['exact', 'ignore_case_symbol'],
             valid_symbol='[^A-Za-z0-9\u4e00-\u9fa5]')
UNICODE = dict(type='UnicodeWordMetric')
#: Label, reading, and whether it is read by ASCII's rules and by Unicode's.
WORDS = [
    ('Hotel', 'hotel!', True, True),
    ("Don't", 'DONT', True, True),
    ('under_score', 'underscore', True, True),
    ('大学', '大学', True, True),
    ('ПРИВЕТ', '', False, False),
    ('ПРИВЕТ', 'МОСКВА', False, False),
    ('ПРИВЕТ', 'привет', False, True),
    ('مدرسة', 'كتاب', False, False),
    ('שלום', 'שלום', False, True),
    ('สวัสดี', 'สวสด', False, False),  # without the vowels, which are marks
    ('हिन्दी', 'हिन्दी', False, True),
    ('서울', '부산', False, False),
    ('ひらがな', 'カタカナ', False, False),
    ('Größe', 'Grüße', True, False),
    ('café', 'caf', True, False),
    ('&', '&', False, False),
    ('', '', False, False),
]


def _accuracy(metric: Any, words: List[Any]) -> float:
    metric.process(None, [word(label, read) for label, read, *_ in words])
    return metric.evaluate(len(words))


@pytest.mark.parametrize('cfg, column', [(ASCII, 2), (UNICODE, 3)])
def test_nothing_left_is_never_read(cfg: dict, column: int) -> None:
    for one in WORDS:
        metric = METRICS.build(cfg)
        found = _accuracy(metric, [one])
        assert found['recog/word_acc_ignore_case_symbol'] == one[column], one
        assert found['recog/word_acc'] == (one[0] == one[1] != ''), one
        kind = cfg['type'].replace('WordMetric', 'OneMinusNEDMetric')
        options = {k: v for k, v in cfg.items() if k == 'valid_symbol'}
        distance = METRICS.build(dict(type=kind, **options))
        assert (_accuracy(distance, [one])['recog/1-N.E.D'] == 1) == (
            one[column]), one


def test_runs_are_counted_by_their_lengths() -> None:
    words = [('1111', '1111'), ('1111', '111'), ('AAb222', 'aab222'),
             ('aaab222', 'aaabb222'), ('ooooo', 'OOOOO'), ('ooooo', '00000'),
             ('aab', 'aab'), ('aab', 'ab')]
    found = _accuracy(METRICS.build(dict(type='RunMetric')), words)
    assert found == {
        'recog/run_length_acc': 5 / 6, 'recog/run_too_short': 1 / 6,
        'recog/run_too_long': 1 / 6, 'recog/word_acc_without_runs': 1 / 2}
    found = _accuracy(METRICS.build(dict(type='RunMetric', least=2)), words)
    assert found == {
        'recog/run_length_acc': 5 / 8, 'recog/run_too_short': 2 / 8,
        'recog/run_too_long': 1 / 8}
    assert _accuracy(METRICS.build(dict(type='RunMetric')), words[6:]) == {}
    with pytest.raises(ValueError, match='2 characters or more, not 1'):
        METRICS.build(dict(type='RunMetric', least=1))


def test_words_of_ascii_are_counted_as_mmocr_does() -> None:
    words = [('Hotel', 'hotel'), ("Don't", 'DONT'), ('a_b', 'AB'),
             ('exit', ''), ('seven', 'seventeen'), ('3.5', '35'), ('a', 'A')]
    mode = ['exact', 'ignore_case', 'ignore_case_symbol']
    theirs = _accuracy(mmocr_metrics.WordMetric(mode, '[^A-Za-z0-9]'), words)
    assert theirs['recog/word_acc_ignore_case_symbol'] == 0.7143
    assert _accuracy(METRICS.build(dict(UNICODE, mode=mode)), words) == theirs
    assert _accuracy(METRICS.build(dict(
        ASCII, mode=mode)), words) == theirs


def test_configs_for_ones_own_words_take_every_script() -> None:
    cfg = Config.fromfile(mini_config('textrecog/transformer'))
    metrics = build_metrics(cfg.val_evaluator)
    protocol = protocol_of(metrics)
    assert protocol.rules == ('case ignored, everything but letters and '
                              'digits of every script dropped')
    for label, read, _, same in WORDS[:-2]:
        assert (protocol.normalize(label) == protocol.normalize(
            read)) is same, label
    assert deleted_message(metrics, 'aéяกิ학한') is None


@pytest.mark.parametrize('cfg, characters, found', [
    (ASCII, 'abc019!?大', None),
    (ASCII, 'abcé!', '1 of the 4 letters, marks and digits of the dictionary '
     'before they compare words: é\n'),
    (ASCII, 'กิ1', '2 of the 3 letters'),
    (dict(type='WordMetric', mode='exact'), 'яж', None),
    (dict(type='WordMetric', mode='ignore_case'), 'яж', None),
    (dict(type='OneMinusNEDMetric'), 'яж', '2 of the 2 letters'),
    (dict(type='CharMetric'), 'яж', '2 of the 2 letters'),
    (dict(type='DumpResults', out_file_path='x.pkl'), 'яж', None),
    (UNICODE, 'яжกิ१²', None),
])
def test_deleted_letters_are_told(cfg: dict, characters: str,
                                  found: Any) -> None:
    message = deleted_message(build_metrics(dict(metrics=[cfg])), characters)
    if found is None:
        assert message is None
    else:
        assert message is not None and found in message
        assert "dict(type='UnicodeWordMetric')" in message
