"""`tools/benchmark.py reader`: what it measures is what it says."""
import mmap
import argparse
import importlib
from pathlib import Path

import pytest

from lmim.datasets.records import open_sources


@pytest.fixture
def module(repo, monkeypatch):
    """Imports a module of tools/benchmarks."""
    monkeypatch.syspath_prepend(str(repo / 'tools'))
    return lambda name: importlib.import_module(f'benchmarks.{name}')


def parse(benchmark, *words):
    parser = argparse.ArgumentParser()
    benchmark.add_arguments(parser)
    return parser.parse_args(words)


def test_reader(module, tmp_path):
    benchmark = module('reader').ReaderBenchmark()
    result = benchmark.run(parse(
        benchmark, '--records', '2000', '--reads', '100', '--start', 'fork',
        '--folder', str(tmp_path)))
    assert [(row['kind'], row['records']) for row in result['sets']] == [
        ('lmdb', 20), ('lmdb', 200), ('lmdb', 2000), ('list', 2000),
        ('json', 2000)]
    for row in result['sets']:
        assert 0 < row['open_s'] < 5
        assert abs(row['fork_own_mb']) < 20
    assert result['sets'][2]['file_mb'] > 2
    table = benchmark.report(result).splitlines()
    assert 'fork own' in table[1] and 'spawn' not in table[1]
    assert table[4].split()[:2] == ['lmdb', '2,000']
    assert list(tmp_path.iterdir()) == []


def test_generated_sets_are_what_they_say(module, tmp_path):
    sets = module('reader_sets')
    images = sets.pictures()
    layouts = {'lmdb': 'LMDB with plain labels', 'json': 'MMOCR JSON',
               'list': 'list of paths and labels'}
    for kind, make in sets.MAKERS.items():
        make(tmp_path / kind, 70, images)
        source = open_sources(str(tmp_path / kind))
        assert (len(source), source.layout) == (70, layouts[kind])
        assert source.label(69) == 'word69'
        assert source.read(69) == images[69 % len(images)]


def test_memory_is_that_of_this_process_alone(module):
    reader = module('reader')
    before = reader.private_memory()['own']
    # Not from the heap, which may have room left of earlier tests.
    with mmap.mmap(-1, 30 * 2**20, flags=mmap.MAP_PRIVATE) as block:
        block[::4096] = b'x' * (len(block) // 4096)  # a byte of each page
        grown = reader.private_memory()['own'] - before
    assert 25 < grown / 2**20 < 40


def test_a_measuring_process_that_dies_is_told(module, capfd):
    with pytest.raises(ChildProcessError, match='ended with 1'):
        module('children').in_a_child(Path.unlink, Path('nowhere'))
    assert 'FileNotFoundError' in capfd.readouterr().err
