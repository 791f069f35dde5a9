"""Averages and tables, by the figures that the paper prints."""
import csv
import io
import json
from fractions import Fraction
from typing import Any, Dict, List, Optional

import pytest

from lmim.datasets.labels.spelling import Spelling
from lmim.evaluation.benchmark_evaluator import Protocol, WordRecord
from lmim.evaluation.benchmark_table import (
    BenchmarkTable,
    SetResult,
    make_tables,
    percent,
    to_csv,
    to_json,
    to_markdown,
)

UNION14M = dict(zip(
    ('Curve', 'Multi-Oriented', 'Artistic', 'Contextless', 'Salient',
     'Multi-Words', 'General'), (2426, 1369, 900, 779, 1585, 829, 400000)))
SIX = dict(IIIT5K=3000, IC13_1015=1015, SVT=647, IC15_2077=2077, SVTP=645,
           CUTE80=288)
CHINESE = dict(Scene=63646, Web=14059, Document=50000, Handwriting=23389)
#: Every row of results that the paper prints with an average: sets, figures,
#: Avg, W-Avg (None where it is not printed).
PRINTED = {
    'Union14M, 20 epochs':
    (UNION14M, '90.3 86.6 80.7 85.5 88.2 87.9 85.1', '86.3', '85.1'),
    'Union14M, 10 epochs':
    (UNION14M, '87.5 84.5 79.8 84.3 86.6 86.1 84.4', '84.7', '84.4'),
    'Union14M, MAERec-S':
    (UNION14M, '81.4 71.4 72.0 82.0 78.5 82.4 82.5', '78.6', None),
    'six sets, original labels':
    (SIX, '98.5 98.0 97.7 88.7 94.0 98.6', '95.9', '95.3'),
    'six sets, corrected labels':
    (SIX, '99.3 98.1 98.3 91.7 95.4 99.3', '97.0', '96.7'),
    'six sets, MAERec-S':
    (SIX, '98.0 97.6 96.8 87.1 93.2 97.9', '95.1', '94.5'),
    'Chinese': (CHINESE, '83.6 82.0 99.1 63.9', '82.2', '85.5'),
    'Chinese, from scratch': (CHINESE, '75.1 74.7 97.1 53.3', '75.1', '79.0'),
}
RULES = Protocol('WAICS', 'by the rules', str.lower)


def table_of(counts: Dict[str, int], figures: str) -> BenchmarkTable:
    return BenchmarkTable('Benchmark', None, 'WAICS', 'as printed', [
        SetResult(name, samples, Fraction(figure) / 100)
        for (name, samples), figure in zip(counts.items(), figures.split())
    ])


@pytest.mark.parametrize('row', PRINTED)
def test_averages_are_the_papers_to_the_printed_digit(row: str) -> None:
    counts, figures, avg, weighted = PRINTED[row]
    assert len(counts) == len(figures.split())
    plain, by_samples = table_of(counts, figures).averages()
    assert (plain.name, percent(plain.accuracy)) == ('Avg', avg)
    assert by_samples.name == 'W-Avg'
    assert by_samples.samples == sum(counts.values())
    if weighted is not None:
        assert percent(by_samples.accuracy) == weighted


def test_figures_are_rounded_once_and_halves_up() -> None:
    # 75.05 as a binary number is less than that, and would end in .0.
    assert percent(Fraction('0.7505')) == '75.1'
    assert percent(Fraction('0.8215')) == '82.2'
    assert percent(Fraction(2, 3), 4) == '66.6667'
    assert percent(Fraction(1)) == '100.0' and percent(Fraction(0)) == '0.0'
    assert percent(None) == ''


def result(name: str, correct: int, total: int, **facts: Any) -> Any:
    records = [WordRecord('a', 'b', None, i < correct, False, 0., False, False,
                          False)
               for i in range(total)]
    return SetResult.count(name, records, facts), facts


def test_labels_and_benchmarks_never_share_a_table() -> None:
    six, union = dict(benchmark='Six'), dict(benchmark='Union14M')
    tables = make_tables([
        result('IIIT5K', 1, 2, **six, labels='original'),
        result('Curve', 0, 2, **union, labels='original'),
        result('IIIT5K', 2, 2, **six, labels='corrected'),
        result('IC13_4', 1, 4, **six, labels='original'),
        result('IC15_1811', 1, 2, **six, labels='original'),
        result('mine', 2, 2),
    ], RULES, Spelling(frozenset('abc'), max_length=25))
    assert [(one.title, one.labels, [row.name for row in one.results])
            for one in tables] == [
                ('Six', 'original', ['IIIT5K', 'IC13_4', 'IC15_1811']),
                ('Union14M', 'original', ['Curve']),
                ('Six', 'corrected', ['IIIT5K']),
                ('Results', None, ['mine']),
            ]
    assert tables[0].protocol == (
        'WAICS (by the rules); original labels; IC13 with 4 words; all '
        'words of a set count, whatever their length and characters; the '
        'recognizer writes 3 characters, 25 a word')
    assert [len(one.averages()) for one in tables] == [2, 0, 0, 0]


@pytest.fixture
def table() -> BenchmarkTable:
    return make_tables([
        result('A|B', 3, 4, num_samples=4, labels='original', benchmark='U'),
        result('C', 1, 2, num_samples=20, labels='original', benchmark='U'),
        result('Cut', 0, 2, in_average=False, labels='original',
               benchmark='U'),
    ], RULES, None)[0]


def cells(line: str) -> List[str]:
    return [cell.strip() for cell in line.strip('| ').split(' | ')]


def test_markdown_shows_averages_and_what_cannot_be_compared(
        table: BenchmarkTable) -> None:
    lines = to_markdown([table, table]).splitlines()
    assert lines[0] == '### U, original labels'
    assert lines[2].startswith('Protocol: WAICS (by the rules); original')
    assert lines[-1].endswith('All of these words count.')
    second = lines.index(lines[0], 1)
    assert lines[:second] == lines[second:2 * second]
    rows = [cells(line) for line in lines[:second] if line.startswith('| ')]
    assert [row[:4] for row in rows] == [
        ['Set', 'Samples', 'WAICS %', 'Exact %'],
        rows[1][:4],
        ['A\\|B', '4', '75.0', '0.0'],
        ['C', '2 (published: 20)', '50.0', '0.0'],
        ['**Avg**', '6', '62.5', '0.0'],
        ['**W-Avg**', '6', '66.7', '0.0'],
        ['Cut', '2', '0.0', '0.0'],
    ]
    assert len({len(line) for line in lines if line.startswith('|')}) == 1
    remarks = [line for line in lines if line.startswith('- ')]
    assert remarks[0] == ('- Avg: plain mean over 2 sets. W-Avg: weighted by '
                          'their samples.')
    assert remarks[1] == '- In neither: Cut.'
    assert remarks[2].endswith('differs: C.')


def test_csv_and_json_hold_the_same_figures(table: BenchmarkTable) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv([table]))))
    loaded = json.loads(to_json([table], checkpoint='x.pth'))
    assert loaded['checkpoint'] == 'x.pth'
    entry = loaded['tables'][0]
    assert entry['metric'] == 'WAICS' and entry['labels'] == 'original'
    assert [row['name'] for row in rows] == ['A|B', 'C', 'Cut', 'Avg', 'W-Avg']
    assert {row['labels'] for row in rows} == {'original'}
    wanted: Dict[str, Optional[float]] = {
        **{one['name']: one['accuracy'] for one in entry['sets']},
        **{name: one['accuracy'] for name, one in entry['averages'].items()}
    }
    assert {row['name']: float(row['accuracy']) for row in rows} == wanted
    assert wanted == {'A|B': 75., 'C': 50., 'Cut': 0., 'Avg': 62.5,
                      'W-Avg': 66.6667}
    assert entry['sets'][1]['published'] == 20
    assert entry['averages']['W-Avg']['samples'] == 6
