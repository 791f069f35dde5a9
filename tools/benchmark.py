"""Measure how fast a part is: `python tools/benchmark.py NAME [options]`."""
import argparse
import inspect
import json
import os
import platform
import sys
from typing import Any, Dict, List, Optional

import _import_lmim  # noqa: F401  (finds lmim without an installation)
import lmim  # noqa: F401  (before anything of MMOCR)
import cv2
import numpy
import torch
from benchmarks.measuring import Benchmark
from benchmarks.memory import MemoryBenchmark
from benchmarks.pipeline import PipelineBenchmark
from benchmarks.scaling import ScalingBenchmark
from benchmarks.steps import (FinetuneBenchmark, PretrainBenchmark,
                              RecognizeBenchmark)

from lmim.cli import guarded
from lmim.engine.launch import hold_freed_memory
from lmim.utils.errors import EXIT_CODES
from lmim.utils.machine import processor_name

BENCHMARKS: Dict[str, Benchmark] = {
    benchmark.name: benchmark
    for benchmark in (PipelineBenchmark(), PretrainBenchmark(),
                      FinetuneBenchmark(), RecognizeBenchmark(),
                      MemoryBenchmark(), ScalingBenchmark())
}


def main(argv: Optional[List[str]] = None) -> int:
    """Run one benchmark; the exit status."""
    args = get_parser().parse_args(argv)
    benchmark = BENCHMARKS[args.benchmark]
    hold_freed_memory()  # as tools/train.py and tools/test.py do
    machine = describe_machine()
    status, result = guarded(benchmark.name, args, lambda: benchmark.run(args))
    if result is not None and args.json:
        print(json.dumps({'benchmark': args.benchmark, 'machine': machine,
                          **result}, indent=2))
    elif result is not None:
        print(', '.join(f'{key} {value}' for key, value in machine.items()))
        print(benchmark.report(result))
    return status


def get_parser() -> argparse.ArgumentParser:
    """The parser of all benchmarks."""
    layout: Dict[str, Any] = dict(
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EXIT_CODES)
    parser = argparse.ArgumentParser(
        description='Measure how fast a part is on this machine.', **layout)
    names = parser.add_subparsers(
        dest='benchmark', required=True, metavar='NAME')
    for name, benchmark in BENCHMARKS.items():
        sub = names.add_parser(name, help=benchmark.summary,
                               description=inspect.getdoc(benchmark), **layout)
        benchmark.add_arguments(sub)
        sub.add_argument('--json', action='store_true',
                         help='print the result as one JSON object')
        sub.add_argument('--debug', action='store_true',
                         help='show where an error was raised')
    return parser


def describe_machine() -> Dict[str, Any]:
    """What a measured number depends on besides the code."""
    return {
        'CPU': processor_name(), 'cores': os.cpu_count(),
        # Above 0: other processes are at work.
        'load': (round(os.getloadavg()[0], 1)
                 if hasattr(os, 'getloadavg') else None),
        'threads': torch.get_num_threads(),
        'GPUs': [torch.cuda.get_device_name(index)
                 for index in range(torch.cuda.device_count())],
        'Python': platform.python_version(), 'torch': torch.__version__,
        'NumPy': numpy.__version__, 'OpenCV': cv2.__version__,
    }


if __name__ == '__main__':
    sys.exit(main())
