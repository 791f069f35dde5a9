"""Benchmarks: protocols, tables, and the words that were misread."""
from .benchmark_evaluator import (
    BenchmarkEvaluator,
    Misread,
    Protocol,
    WordRecord,
    protocol_of,
)
from .benchmark_hook import BenchmarkHook
from .benchmark_table import (
    BenchmarkTable,
    SetResult,
    make_tables,
    percent,
    to_csv,
    to_json,
    to_markdown,
    write_tables,
)
from .chinese import (
    ChineseOneMinusNEDMetric,
    ChineseWordMetric,
    chinese_normalizer,
)
from .misread_sheet import MisreadSet, misread_sheet, worst_first

__all__ = [
    'BenchmarkEvaluator', 'BenchmarkHook', 'BenchmarkTable',
    'ChineseOneMinusNEDMetric', 'ChineseWordMetric', 'Misread', 'MisreadSet',
    'Protocol', 'SetResult', 'WordRecord', 'chinese_normalizer', 'make_tables',
    'misread_sheet', 'percent', 'protocol_of', 'to_csv', 'to_json',
    'to_markdown', 'worst_first', 'write_tables'
]
