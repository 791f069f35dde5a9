"""`tools/benchmark.py precision`."""
import argparse
import importlib
import json

import pytest


def test_the_same_words_in_both_precisions(repo, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(repo / 'tools'))
    benchmark = importlib.import_module('benchmarks').BENCHMARKS['precision']
    parser = argparse.ArgumentParser()
    benchmark.add_arguments(parser)
    picture = tmp_path / 'curves.png'
    result = benchmark.run(parser.parse_args(
        ['--steps', '2', '--seeds', '2', '--batch', '1', '--device', 'cpu',
         '--picture', str(picture)]))
    assert picture.read_bytes().startswith(b'\x89PNG')
    for name, row in result['tasks'].items():
        # Other seeds see other words; the other precision sees the same.
        assert row['noise'] > 0, name
        assert row['bf16'] == pytest.approx(row['fp32'], rel=5e-3)
        assert any(row['differences'])
        assert row['bf16'] - row['fp32'] == pytest.approx(
            sum(row['differences']) / 2, abs=3e-5)
    report = benchmark.report(json.loads(json.dumps(result)))
    assert f'{result["tasks"]["pretrain"]["fp32"]:.4f} in fp32' in report
