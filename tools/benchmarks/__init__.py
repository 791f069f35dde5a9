"""What `tools/benchmark.py` measures, one module for each part.

A benchmark has the methods of a sub-command of `tools/data.py` (name,
summary, add_arguments, run, report). To add one, write a module beside this
and name its class below. What ours is compared with lies in `plain`.
"""
from typing import Dict

from lmim.cli.command import Command

from .finetune import FinetuneBenchmark
from .memory_trade import MemoryBenchmark
from .parallel import ParallelBenchmark
from .pipeline import PipelineBenchmark
from .precision import PrecisionBenchmark
from .pretrain import PretrainBenchmark
from .reader import ReaderBenchmark
from .recognize import RecognizeBenchmark
from .render import RenderBenchmark
from .scaling import ScalingBenchmark
from .startup import StartupBenchmark

BENCHMARKS: Dict[str, Command] = {
    benchmark.name: benchmark
    for benchmark in (FinetuneBenchmark(), MemoryBenchmark(),
                      ParallelBenchmark(), PipelineBenchmark(),
                      PrecisionBenchmark(), PretrainBenchmark(),
                      ReaderBenchmark(), RecognizeBenchmark(),
                      RenderBenchmark(), ScalingBenchmark(),
                      StartupBenchmark())
}
