"""Benchmarks: protocols, tables, and the words that were misread."""
from .benchmark_evaluator import BenchmarkEvaluator
from .benchmark_hook import BenchmarkHook
from .chinese import ChineseOneMinusNEDMetric, ChineseWordMetric
from .word_metrics import (OneMinusNEDMetric, RunMetric,
                           UnicodeOneMinusNEDMetric, UnicodeWordMetric,
                           WordMetric)

__all__ = [
    'BenchmarkEvaluator', 'BenchmarkHook', 'ChineseOneMinusNEDMetric',
    'ChineseWordMetric', 'OneMinusNEDMetric', 'RunMetric',
    'UnicodeOneMinusNEDMetric', 'UnicodeWordMetric', 'WordMetric'
]
