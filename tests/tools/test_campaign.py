"""`tools/campaign.py`: a short form, and that it finds what is broken."""
import importlib
import json
import os
import random
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, List

import pytest

from tests.documents import table_rows
from tests.processes import needs_fork

pytestmark = needs_fork


@pytest.fixture
def module(repo: Path, monkeypatch: pytest.MonkeyPatch
           ) -> Callable[[str], ModuleType]:
    """Imports tools/campaign.py, or a module of tools/campaigns."""
    monkeypatch.syspath_prepend(str(repo / 'tools'))
    return lambda name: importlib.import_module(name)


@pytest.mark.parametrize('part, only, cases', [
    ('death', 'MIM, kill', ['MIM, kill 1', 'LMIM, kill 1']),
    ('death', 'two', ['two processes, kill 1']),
    ('death', 'zero', ['newest checkpoint of zero bytes']),
    ('numbers', 'gradient', ['gradient spoilt 1', 'gradient left out 1']),
    ('hostile', 'shell', ['checkpoint, a shell',
                          'checkpoint, a shell, of old torch']),
    ('hostile', 'file above', ['list that names a file above']),
    ('inputs', 'PNG, cut', ['picture: PNG, cut off']),
    ('inputs', 'byte that is no', ['no label: a byte that is no UTF-8']),
    ('inputs', 'sparse', ['place: a sparse file of 1 TB']),
    ('inputs', 'list.csv', ['fuzzed: list.csv of labels']),
    ('inputs', 'old torch', ['fuzzed: checkpoint of old torch']),
])
def test_the_short_form(module: Any, tmp_path: Path, part: str, only: str,
                        cases: List[str],
                        capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / 'out.json'
    code = module('campaign').Campaign().main([
        part, '--trials', '1', '--only', only, '--seed', '5', '--out',
        str(out)])
    result = json.loads(out.read_text())
    assert [case['name'] for case in result['outcomes']] == cases
    assert [case['state'] for case in result['outcomes']] == [
        'held'] * len(cases), capsys.readouterr().err
    assert code == 0 and result['seed'] == 5 and result['left'] == 0


def test_what_is_broken_is_found(module: Any, tmp_path: Path) -> None:
    harness = module('campaigns.harness')

    def process(run: Callable[[], Any]) -> Any:
        return harness.Process(run, tmp_path)

    def say(text: str, code: int) -> Callable[[], int]:
        return lambda: print(text) or code  # type: ignore[func-returns-value]

    assert process(say('\nError: no file x', 1)).wait().refused(
        'file') == 'no file x'
    for text, code, words in (
            ('\nError: no file x', 0, []), ('Error: no', 1, ['file']),
            ('Traceback ...\nError: no file', 1, [])):
        with pytest.raises(harness.Broken):
            process(say(text, code)).wait().refused(*words)
    with pytest.raises(harness.Broken, match='it hung'):
        process(lambda: os.read(os.pipe()[0], 1)).wait(0.2)
    ended = process(lambda: 1 / 0).wait()
    assert ended.code == 1 and 'ZeroDivisionError' in ended.text
    sleeper = process(lambda: os.read(os.pipe()[0], 1))
    sleeper.kill()
    assert sleeper.wait().code == -9


def test_cases_are_counted(module: Any, tmp_path: Path) -> None:
    harness = module('campaigns.harness')
    drawn: List[float] = []

    def ends(error: Any) -> Callable[[Any], str]:
        def run(room: Any) -> str:
            drawn.append(room.draw.random())
            assert not list(room.folder.iterdir()) and room.shared.is_dir()
            if error:
                raise error
            return 'as it should'
        return run

    cases = [harness.Case('part', name, ends(error)) for name, error in (
        ('good', None), ('bad', harness.Broken('lost')),
        ('full', OSError('no space')), ('root', harness.Untried('no root')))]
    told: List[Any] = []
    harness.play(cases, tmp_path / 'a', 7, 1, told.append)
    assert [(each.state, each.found) for each in told] == [
        ('held', 'as it should'), ('broken', 'Broken: lost'),
        ('broken', 'OSError: no space'), ('untried', 'no root')]
    assert drawn[1] == random.Random('7 part bad').random()
    harness.play(cases, tmp_path / 'b', 7, 0, told.append)
    assert len(told) == 4


def test_the_figures_of_the_page(repo: Path) -> None:
    outcomes = json.loads((repo / 'docs/results/reliability.json').read_text(
        encoding='utf-8'))['outcomes']
    rows = table_rows(repo / 'docs/reliability.md', 'The figures')
    assert {part: (int(cases), int(held)) for part, cases, held, _ in rows
            } == {part: (number, number) for part, number in Counter(
                outcome['part'] for outcome in outcomes).items()}
    assert {outcome['state'] for outcome in outcomes} == {'held'}
