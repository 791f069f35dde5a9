"""Figures of a comparison from what its runs left."""
import json
from pathlib import Path

import cv2
import pytest

from lmim.comparison.protocol import LabelCount, Method, Protocol
from lmim.comparison.results import Results, spread

PROTOCOL = Protocol(
    methods={'scratch': Method('scratch'),
             'teacher': Method('teacher', Path('t.py'), share=0.5),
             'lmim': Method('lmim', Path('l.py'), teacher='teacher')},
    compared=['scratch', 'lmim'], seeds=[0, 1], unlabelled='', labelled='',
    labels=[LabelCount(10, 1), LabelCount(None, 1)], tests={}, held_out=0.1,
    views=1, batch_size=1, options={}, recognizer=Path(),
    recognizer_batch_size=1, recognizer_options={})


@pytest.fixture
def results(tmp_path: Path) -> Results:
    def keep(name: str, **about) -> None:
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / 'done.json').write_text(json.dumps(about))

    for seed, (first, second) in enumerate([(50., 80.), (60., 86.)]):
        keep(f'final/scratch-10-seed{seed}', seconds=1, sets=dict(
            A=dict(words=300, waics=first), B=dict(words=100, waics=second)))
    keep('final/lmim-10-seed0', seconds=1, sets=dict(
        A=dict(words=300, waics=70.), B=dict(words=100, waics=90.)))
    keep('pretrain/teacher-seed0', seconds=30., probes={'rank': 2.})
    keep('pretrain/lmim-seed0', seconds=40., probes={'rank': 8.})
    return Results(PROTOCOL, tmp_path, 'final')


def test_figures_are_averages_by_words(results):
    assert results.figures('scratch', '10') == {0: 57.5, 1: 66.5}
    assert results.figures('scratch', '10', 'B') == {0: 80., 1: 86.}
    assert results.figures('lmim', 'all') == {}
    assert results.sets == {'A': 300, 'B': 100}
    # The teacher's time belongs to LMIM's.
    assert results.seconds('lmim') == 70.


def test_tables(results):
    rows = [[cell.strip() for cell in line.strip('|').split('|')]
            for line in results.label_table().splitlines()]
    assert rows[0] == ['method', '10 labels', 'all labels', 'pre-training']
    assert rows[2] == ['scratch', '62.0 ± 6.4', 'not run', '-']
    assert rows[3] == ['lmim', '75.0', 'not run', '70 s']
    assert '| A (300)' in results.set_table('10')
    assert '55.0 ± 7.1' in results.set_table('10')
    assert '| lmim    | 8.000 |' in results.probe_table()


def test_files(results, tmp_path):
    page, data, picture = results.write(tmp_path)
    assert results.label_table() in page.read_text()
    found = json.loads(data.read_text())
    assert len(found['runs']) == 3 and len(found['pretrainings']) == 2
    assert cv2.imread(str(picture)).shape[1] > 400
    assert Results(PROTOCOL, tmp_path, 'decide').write(tmp_path) == []


def test_spread_is_that_of_a_sample():
    assert spread([1., 3.]) == '2.0 ± 1.4'
    assert spread([2.]) == '2.0' and spread([]) == 'not run'
