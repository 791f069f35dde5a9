"""Measure how fast a part is: `python tools/benchmark.py NAME [options]`."""
import sys

import _import_lmim  # noqa: F401  (finds lmim without an installation)
import lmim  # noqa: F401  (before anything of MMOCR)
from benchmarks.pipeline import PipelineBenchmark, ScalingBenchmark
from benchmarks.pool import PoolBenchmark
from benchmarks.steps import (FinetuneBenchmark, MemoryBenchmark,
                              PretrainBenchmark, RecognizeBenchmark)

from lmim.cli import Tool
from lmim.engine.launch import hold_freed_memory

TOOL = Tool('python tools/benchmark.py',
            'Measure how fast a part is on this machine.', FinetuneBenchmark(),
            MemoryBenchmark(), PipelineBenchmark(), PoolBenchmark(),
            PretrainBenchmark(), RecognizeBenchmark(), ScalingBenchmark())

if __name__ == '__main__':
    hold_freed_memory()  # as tools/train.py and tools/test.py do
    sys.exit(TOOL.main())
