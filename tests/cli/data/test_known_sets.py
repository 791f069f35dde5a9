"""`list` and `verify`."""
import functools
from pathlib import Path
from typing import Any, Callable

import pytest

from lmim.cli.data import known_sets
from lmim.datasets.known_sets import read_catalogue
from tests.datasets.make_lmdb import make_lmdb, picture
from tests.lay_data import IMAGES, lay_set


@pytest.fixture(autouse=True)
def read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading all configs takes most of the time."""
    monkeypatch.setattr(known_sets, 'read_catalogue',
                        functools.lru_cache(read_catalogue))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data root with two parts of Union14M-U, ARD and CUTE80."""
    for each in known_sets.read_catalogue(None, str(tmp_path)):
        if each.variable in ('ard_textrecog_train',
                             'union14m_u_ablation_pretrain'):
            lay_set(each.dataset)
    (tmp_path / 'test').mkdir()
    make_lmdb(tmp_path / 'test/CUTE80', [picture(1)] * 288,
              [b'word'] * 288)
    return tmp_path


def test_list_tells_where_each_must_lie(root: Path, run: Any,
                                        report: Callable[..., str]) -> None:
    status, told = run('list', '--data-root', root)
    assert status == 0 and told['data_root'] == str(root)
    sets = {each['variable']: each for each in told['sets']}
    assert len(sets) == len(told['sets']) > 80
    general = sets['union14m_benchmark_general_textrecog_test']
    assert general['num_samples'] == 400_000 and general['there'] == 'no'
    assert general['paths'] == [
        f'{root}/Union14M-L/Union14M-Benchmarks/general/annotation.json']
    assert sets['union14m_u_pretrain']['there'] == 'in part'
    assert sets['ard_textrecog_train']['there'] == 'yes'

    out = report('list', 'cute80', 'union14m_u', '--data-root', root)
    lines = [line.split() for line in out.splitlines()]
    assert ['CUTE80', 'test', '288', 'PARSeq', 'yes', 'test/CUTE80'] in lines
    assert 'Union14M-U/cc_lmdb (missing)' in out
    assert 'Union14M-U (37 GB)' in out and 'IIIT5K' not in out
    assert f'2 of 6 sets lie in {root}.' in out


def test_names_that_no_set_has(run: Any) -> None:
    status, told = run('verify', 'IIIT5K_3000')
    assert status == 1 and 'do you mean IIIT5K' in told['error']
    status, told = run('list', '--configs', 'nowhere')
    assert status == 1 and '--configs DIR' in told['error']


def test_verify_looks_at_all_that_is_there(root: Path, run: Any,
                                           report: Callable[..., str]
                                           ) -> None:
    status, told = run('verify', '--data-root', root)
    sets = {each['variable']: each for each in told['sets']}
    assert set(sets) == {
        'union14m_u_pretrain', 'union14m_u_ablation_pretrain',
        'ard_textrecog_train', 'cute80_parseq_textrecog_test'
    }
    assert [each['variable'] for each in told['sets']
            if each['problems']] == ['union14m_u_pretrain']
    assert status == 1 and told['ok'] is False
    assert sets['union14m_u_pretrain']['problems'] == [
        f'{root}/Union14M-U/cc_lmdb is missing']
    assert sets['cute80_parseq_textrecog_test']['records'] == 288

    out = report('verify', 'ARD', 'union14m_u_pretrain', '--data-root', root)
    assert 'ARD (ard.py, training): 8 records' in out
    assert 'cc_lmdb is missing\n  Download Union14M-U (37 GB)' in out
    status, told = run('verify', '--data-root', root / 'test')
    assert status == 1 and 'none of the known data sets' in told['error']


def test_verify_says_what_is_wrong(tmp_path: Path, run: Any) -> None:
    (tmp_path / 'test/SVT').mkdir(parents=True)
    images = [*IMAGES[:3], b'no image']
    words = [b'a'] * 4
    make_lmdb(tmp_path / 'test/CUTE80', images, words)
    # IC13's smaller version in place of the larger one, with no label.
    make_lmdb(tmp_path / 'test/IC13_1015', [picture(1)] * 857)
    status, told = run('verify', 'common_benchmarks_parseq',
                         '--data-root', tmp_path, '--sample', 4)
    problems = {each['name']: each['problems'] for each in told['sets']}
    assert status == 1 and len(problems) == 8
    count, record = problems['CUTE80']
    assert '4 records, and 288 are published: another version' in count
    assert '1 of 4 records looked at cannot be read' in record
    assert 'CUTE80 image-000000004: ' in record
    count, labels = problems['IC13_1015']
    assert '857 records, and 1,015 are published: it is IC13_857.' in count
    assert labels == 'it has no labels'
    assert 'no image in this folder' in problems['SVT'][0]
    assert problems['SVTP'] == [f'{tmp_path}/test/SVTP is missing']
    status, told = run('verify', 'CUTE80', '--data-root', tmp_path,
                         '--sample', 0)
    assert len(told['sets']) == 4 and status == 1
