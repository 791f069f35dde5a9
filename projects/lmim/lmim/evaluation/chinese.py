"""The protocol of the Chinese text recognition benchmark."""
import importlib
from typing import Any, Callable, Dict, Optional, Sequence

from mmocr.registry import METRICS

from lmim.utils.errors import UserError

from .benchmark_evaluator import Protocol
from .word_metrics import OneMinusNEDMetric, WordMetric

RULES = ('full width to half width, traditional to simplified, lower case, '
         'spaces removed')
#: Full-width forms of ASCII are 0xFEE0 above it; the ideographic space is not.
HALF_WIDTH = {code + 0xFEE0: code for code in range(0x21, 0x7F)}
HALF_WIDTH[0x3000] = 0x20
#: A pattern that matches nothing: the rules above decide what is dropped.
NOTHING = r'(?!)'


def chinese_normalizer() -> Callable[[str], str]:
    """The rules of the benchmark as a function of a text.

    The benchmark's own code simplifies with ``zhconv``, which is no longer
    maintained; OpenCC knows the same traditional characters. They differ in
    rare variants and in words of a region, which OpenCC's ``t2s`` leaves
    alone: 軟體 becomes 软体, with ``zhconv`` 软件.

    Raises:
        UserError: If OpenCC is not installed.
    """
    try:
        opencc = importlib.import_module('opencc')
    except ImportError as error:
        raise UserError(
            'The Chinese protocol turns traditional into simplified '
            'characters with OpenCC, which is not installed. Install it: '
            "pip install opencc (or this package with '[chinese]')"
        ) from error
    simplify = opencc.OpenCC('t2s').convert

    def normalize(text: str) -> str:
        text = simplify(text.translate(HALF_WIDTH)).lower()
        return ''.join(text.split())

    return normalize


class _Normalized:
    """Hands a metric of MMOCR both texts of a word after the rules.

    The arguments are those of ``BaseMetric``. Raises a UserError where OpenCC
    is not installed.
    """

    #: Of the metric.
    settings: Dict[str, Any]

    def __init__(self, collect_device: str = 'cpu',
                 prefix: Optional[str] = None) -> None:
        super().__init__(  # type: ignore[call-arg]
            collect_device=collect_device, prefix=prefix, **self.settings)
        self.protocol = Protocol('Accuracy', RULES, chinese_normalizer())

    def process(self, data_batch: Optional[Sequence[Dict]],
                data_samples: Sequence[Dict]) -> None:
        """Count words in, by ``gt_text.item`` and ``pred_text.item``."""
        super().process(  # type: ignore[misc]
            data_batch, [{
                key: dict(item=self.protocol.normalize(sample[key]['item']))
                for key in ('gt_text', 'pred_text')
            } for sample in data_samples])


@METRICS.register_module()
class ChineseWordMetric(_Normalized, WordMetric):
    """Accuracy of whole strings as the Chinese benchmark counts it.

    Its key is ``recog/word_acc``, counted after the rules. The arguments are
    ``collect_device`` and ``prefix`` of ``BaseMetric``; OpenCC is needed.
    """

    settings = dict(mode='exact')


@METRICS.register_module()
class ChineseOneMinusNEDMetric(_Normalized, OneMinusNEDMetric):
    """1-NED after the rules of the Chinese benchmark.

    The arguments are those of :class:`ChineseWordMetric`.
    """

    settings = dict(valid_symbol=NOTHING)
