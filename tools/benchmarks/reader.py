"""`reader`: how long sets take to open, and what they add to each worker."""
import argparse
import os
import random
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, Dict, Iterator, List

from torch.utils.data import DataLoader, IterableDataset

from lmim.datasets.decoding import decode_image
from lmim.datasets.records import RecordSource, open_sources
from lmim.cli.command import Command, at_least

from .children import in_a_child
from .reader_sets import MAKERS, pictures

#: The set whose workers the others are compared with.
BASE = 1000
ROUNDS = 5
MB = 2**20


class ReaderBenchmark(Command):
    """Open generated sets and read them at random in DataLoader workers.

    Opening is the time of `open_sources` and of reading and decoding one
    record, in a process that has imported everything and has not seen the
    set; its file is dropped from the page cache before. It is the median of
    5 such processes.

    The memory of a worker is what no other process shares with it
    (/proc/self/smaps_rollup, Linux) after it has read and decoded so many
    records at random; told is how much more that is than with a set of 1,000
    records. "own" is memory that the worker has written to (Private_Dirty).
    "cache" are pages of the set's file that are mapped (Private_Clean): they
    belong to the system, which takes them back when it needs memory.
    """

    name = 'reader'
    summary = 'time to open a set, and memory that it adds to a worker'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('--records', type=at_least(100), default=10**6, metavar='N',
            help='of the largest set; LMDBs of a tenth and a hundredth are '
            'measured, too (default: %(default)s, of which the LMDB takes '
            '2 GB)')
        add('--reads', type=at_least(1), default=5000, metavar='N',
            help='records that each worker reads (default: %(default)s)')
        add('--workers', type=at_least(1), default=2,
            help='(default: %(default)s)')
        add('--start', nargs='+', choices=['fork', 'spawn'],
            default=['fork', 'spawn'],
            help='how workers are started (default: both)')
        add('--folder', metavar='DIR',
            help='where the sets are made for the time of the benchmark '
            "(default: the system's folder for such)")

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Make the sets and measure each."""
        if not os.path.exists('/proc/self/smaps_rollup'):
            raise OSError('memory is read from /proc/self/smaps_rollup, which '
                          'this system does not have: Linux 4.14 or later '
                          'does')
        counts = {'lmdb': [args.records // 100, args.records // 10,
                           args.records],
                  'list': [args.records], 'json': [args.records]}
        images = pictures()
        sets = []
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            for kind in counts:
                measured = []
                for count in [BASE, *counts[kind]]:
                    path = Path(folder) / f'{kind}-{count}'
                    if not path.exists():
                        MAKERS[kind](path, count, images)
                    measured.append(self._measure(path, args))
                for count, facts in zip(counts[kind], measured[1:]):
                    added = {
                        f'{start}_{what}_mb': round(
                            (facts[start][what] - measured[0][start][what])
                            / MB, 1)
                        for start in args.start for what in ('own', 'cache')
                    }
                    sets.append({
                        'kind': kind, 'records': count,
                        'file_mb': round(facts['size'] / MB, 1),
                        'open_s': round(facts['open'], 4), **added})
        return {'reads': args.reads, 'workers': args.workers, 'sets': sets}

    def _measure(self, path: Path, args: argparse.Namespace
                 ) -> Dict[str, Any]:
        facts: Dict[str, Any] = {
            'size': _data_file(path).stat().st_size,
            'open': median(in_a_child(_seconds_to_open, path)
                           for _ in range(ROUNDS))}
        for start in args.start:
            facts[start] = in_a_child(
                _memory_of_workers, path, start, args.workers, args.reads)
        return facts

    def report(self, result: Dict[str, Any]) -> str:
        """Tell it as a table."""
        starts = [start for start in ('fork', 'spawn')
                  if f'{start}_own_mb' in result['sets'][0]]
        lines = [f'after {result["reads"]:,} reads in each of '
                 f'{result["workers"]} workers; MB more than with a set of '
                 f'{BASE:,} records',
                 f'{"kind":5}{"records":>11}{"file MB":>9}{"open s":>9}'
                 + ''.join(f'{start + " own":>11}{"cache":>7}'
                           for start in starts)]
        for row in result['sets']:
            lines.append(
                f'{row["kind"]:5}{row["records"]:11,}{row["file_mb"]:9.1f}'
                f'{row["open_s"]:9.4f}'
                + ''.join(f'{row[start + "_own_mb"]:11.1f}'
                          f'{row[start + "_cache_mb"]:7.1f}'
                          for start in starts))
        return '\n'.join(lines)


def _data_file(path: Path) -> Path:
    return path / 'data.mdb' if path.is_dir() else path


def _take(source: RecordSource, index: int) -> None:
    """What a data set does with a record."""
    source.label(index)
    decode_image(source.read(index))


def _seconds_to_open(path: Path) -> float:
    with open(_data_file(path), 'rb') as file:
        os.fsync(file.fileno())  # what is not on disk cannot be dropped
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    begin = time.perf_counter()
    source = open_sources(path)
    _take(source, len(source) // 2)
    return time.perf_counter() - begin


class _Reads(IterableDataset):
    """Reads at random, and gives the memory of its worker."""

    def __init__(self, source: RecordSource, reads: int) -> None:
        self.source = source
        self.reads = reads

    def __iter__(self) -> Iterator[Dict[str, int]]:
        rng = random.Random(os.getpid())
        for _ in range(self.reads):
            _take(self.source, rng.randrange(len(self.source)))
        yield private_memory()


def _memory_of_workers(path: Path, start: str, workers: int,
                       reads: int) -> Dict[str, float]:
    """The mean of all workers, in bytes."""
    loader = DataLoader(
        _Reads(open_sources(path), reads), batch_size=None,
        num_workers=workers, multiprocessing_context=start)
    found: List[Dict[str, int]] = list(loader)
    return {key: sum(each[key] for each in found) / len(found)
            for key in found[0]}


def private_memory() -> Dict[str, int]:
    """Bytes of this process that no other shares."""
    fields = {}
    with open('/proc/self/smaps_rollup', encoding='ascii') as file:
        for line in file:
            name, *values = line.split()
            if name.startswith('Private_'):
                fields[name] = int(values[0]) * 1024
    return {'own': fields['Private_Dirty:'], 'cache': fields['Private_Clean:']}
