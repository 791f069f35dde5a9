"""What `tools/benchmark.py` measures, one module for each part.

A benchmark has the methods of a sub-command of `tools/data.py` (name,
summary, add_arguments, run, report). To add one, write a module beside this
and name its class below.
"""
from typing import Dict

from lmim.cli.command import Command

from .reader import ReaderBenchmark
from .render import RenderBenchmark

BENCHMARKS: Dict[str, Command] = {
    benchmark.name: benchmark
    for benchmark in (ReaderBenchmark(), RenderBenchmark())
}
