"""Benchmarks: protocols, tables, and the words that were misread."""
from .benchmark_evaluator import BenchmarkEvaluator
from .benchmark_hook import BenchmarkHook
from .chinese import ChineseOneMinusNEDMetric, ChineseWordMetric

__all__ = [
    'BenchmarkEvaluator', 'BenchmarkHook', 'ChineseOneMinusNEDMetric',
    'ChineseWordMetric'
]
