"""Measure how fast a part is: `python tools/benchmark.py NAME [options]`."""
import argparse
import inspect
import json
import sys
from typing import List, Optional

import _import_lmim  # noqa: F401  (finds lmim without an installation)
import lmim  # noqa: F401  (before anything of MMOCR)
from benchmarks import BENCHMARKS
from benchmarks.machine import facts, header

from lmim.engine.memory import hold_freed_memory

EXIT_CODES = """exit status:
  0    measured
  1    not measured; the message says why and what to do
  2    the command line is wrong
  130  interrupted"""


def main(argv: Optional[List[str]] = None) -> int:
    """Run one benchmark.

    Args:
        argv (list[str], optional): Its name and arguments. Defaults to the
            process's own.

    Returns:
        int: The exit status.
    """
    args = _parser().parse_args(argv)
    benchmark = BENCHMARKS[args.benchmark]
    hold_freed_memory()  # as tools/train.py and tools/test.py do
    machine = facts()
    if not args.json:
        print(header(machine), flush=True)
    try:
        result = benchmark.run(args)
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        return 130
    except (OSError, ValueError) as error:
        print(f'{args.benchmark}: error: {error}', file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps({'benchmark': args.benchmark, 'machine': machine,
                          **result}, indent=2))
    else:
        print(benchmark.report(result))
    return 0


def _parser() -> argparse.ArgumentParser:
    """The parser of all benchmarks."""
    parser = argparse.ArgumentParser(
        prog='benchmark.py',
        description='Measure how fast a part is on this machine.',
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    names = parser.add_subparsers(
        dest='benchmark', required=True, metavar='NAME')
    for name in sorted(BENCHMARKS):
        benchmark = BENCHMARKS[name]
        sub = names.add_parser(
            name,
            help=benchmark.summary,
            description=inspect.getdoc(benchmark),
            formatter_class=argparse.RawDescriptionHelpFormatter)
        benchmark.add_arguments(sub)
        sub.add_argument(
            '--json',
            action='store_true',
            help='print the result as one JSON object on standard output')
    return parser


if __name__ == '__main__':
    sys.exit(main())
