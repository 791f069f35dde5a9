"""The protocol of the Chinese benchmark."""
import importlib.util
import sys

import pytest
from mmocr.registry import EVALUATOR, METRICS

from lmim.evaluation.chinese import chinese_normalizer
from lmim.utils.errors import UserError

from .oracle import word

needs_opencc = pytest.mark.skipif(
    importlib.util.find_spec('opencc') is None,
    reason='OpenCC is not installed')


@pytest.mark.parametrize('text, normal', [
    ('漢書', '汉书'),
    ('ＡＢｃ１２！', 'abc12!'),
    ('a\u3000B c\td', 'abcd'),
    ('ｈé～', 'hé~'),
    ('（《》）', '(《》)'),  # these brackets have no half-width form
    ('', ''),
    ('圖書館', '图书馆'), ('發髮', '发发'), ('皇后後面', '皇后后面'),
    ('乾坤乾淨', '乾坤干净'), ('軟體', '软体'), ('简体', '简体'),
])
@needs_opencc
def test_rules(text: str, normal: str) -> None:
    normalize = chinese_normalizer()
    assert normalize(text) == normal == normalize(normal)


@needs_opencc
def test_metrics_compare_whole_strings_after_the_rules() -> None:
    metrics = [dict(type='ChineseWordMetric'),
               dict(type='ChineseOneMinusNEDMetric')]
    evaluator = EVALUATOR.build(
        dict(type='BenchmarkEvaluator', metrics=metrics,
             dataset_prefixes=['web']))
    evaluator.dataset_meta = {}
    evaluator.recording = True
    evaluator.process([
        word('漢 Ａ', '汉a'),
        word('汉-书', '汉书'),  # symbols count
        word('書', '书'),
        word('ab', 'cd'),
    ])
    result = evaluator.evaluate(4)
    assert result == {'web/recog/word_acc': 0.5,
                      'web/recog/1-N.E.D': round(1 - (1 / 3 + 1) / 4, 4)}
    records = evaluator.records[0]
    assert [one.correct for one in records] == [True, False, True, False]
    assert not any(one.exact for one in records)
    assert records[1][:2] == ('汉-书', '汉书')
    assert evaluator.protocol.accuracy == 'Accuracy'


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'opencc', None)
    with pytest.raises(UserError, match='pip install opencc'):
        METRICS.build(dict(type='ChineseWordMetric'))
