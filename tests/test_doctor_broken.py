"""The doctor where lmim, or what it needs, cannot be imported."""
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

import pytest

from lmim.commands import COMMANDS
from lmim.commands import main as run_command
from lmim.doctor import child
from lmim.doctor.finding import Finding
from lmim.doctor.report import plain
from tests.fresh_python import PACKAGE, fake_package

REPO = PACKAGE.parent.parent
TOOL = str(REPO / 'tools' / 'doctor.py')
#: Makes some libraries impossible to import. The real ones stay installed.
BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {gone!r}:
            {action}
sys.meta_path.insert(0, Block())
"""
MISSING = ("raise ModuleNotFoundError(f'No module named {name!r}', "
           "name=name)")


class Outcome(NamedTuple):
    code: int
    stdout: str
    stderr: str

    @property
    def said(self) -> Dict[str, Dict[str, Any]]:
        return {each['name']: each
                for each in json.loads(self.stdout)['findings']}


def blocked(folder: Path, *gone: str, action: str = MISSING) -> str:
    """A PYTHONPATH with which the libraries cannot be imported."""
    (folder / 'sitecustomize.py').write_text(
        BLOCK.format(gone=list(gone), action=action))
    return os.pathsep.join([str(folder), str(PACKAGE)])


def run(path: str, folder: Path, *args: str) -> Outcome:
    env = {**os.environ, 'PYTHONPATH': path}
    env.pop('LMIM_DATA_ROOT', None)
    done = subprocess.run([sys.executable, *args], cwd=folder, env=env,
                          capture_output=True, text=True)
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize('call', [
    (TOOL, ),
    pytest.param(('-m', 'lmim', 'doctor'), marks=pytest.mark.skipif(
        sys.version_info < (3, 10), reason='Python 3.9 does not tell how it '
        'was called'))])
def test_nothing_is_there(tmp_path: Path, call: List[str]) -> None:
    path = blocked(tmp_path, 'torch', 'numpy', 'mmocr', 'mmcv', 'rich',
                   'lmdb', 'packaging')
    done = run(path, tmp_path, *call, '--json')
    assert done.code == 1, done.stderr
    said = done.said
    for name in ('torch', 'numpy', 'rich', 'lmdb', 'mmcv'):
        assert said[name]['level'] == 'wrong', name
        assert '-m pip install' in said[name]['command']
    assert said['lmim']['level'] == 'note'
    assert said['all']['text'] == 'not tried: torch cannot be imported'
    assert {'python', 'CPU', 'data root', 'work dir'} <= set(said)
    wrong = [each for each in said.values() if each['level'] == 'wrong']
    assert all(each['command'] for each in wrong)
    assert json.loads(done.stdout)['ok'] is False
    assert json.loads(done.stdout)['counts']['wrong'] >= len(wrong)


@pytest.mark.skipif(sys.version_info < (3, 10),
                    reason='Python 3.9 does not tell how it was called')
def test_commands_are_listed(tmp_path: Path) -> None:
    done = run(blocked(tmp_path, 'torch'), tmp_path, '-m', 'lmim')
    assert done.code == 0, done.stderr
    for name, entry in COMMANDS.items():
        assert f'  {name}' in done.stdout and entry.summary in done.stdout


@pytest.mark.parametrize('name', sorted(COMMANDS))
def test_commands_are_there(name: str,
                            capsys: pytest.CaptureFixture) -> None:
    assert (REPO / 'tools' / f'{name}.py').is_file()
    with pytest.raises(SystemExit) as stopped:
        run_command([name, '--help'])
    assert stopped.value.code == 0
    assert capsys.readouterr().out.startswith('usage:')


def test_no_such_command(capsys: pytest.CaptureFixture) -> None:
    assert run_command(['nothing']) == 2
    assert "'nothing' is no command" in capsys.readouterr().out


def test_import_lmim_names_the_doctor(tmp_path: Path) -> None:
    done = run(blocked(tmp_path, 'torch'), tmp_path, '-c', 'import lmim')
    assert done.code == 1
    last = done.stderr.strip().splitlines()[-2:]
    assert last[0].endswith("No module named 'torch'")
    assert last[1] == ('`python -m lmim doctor` finds what is wrong, and '
                       'tells what mends it.')


def one_by_one(path: str, monkeypatch: pytest.MonkeyPatch) -> List[Finding]:
    """What is wrong, of the libraries tried one after the other."""
    monkeypatch.setenv('PYTHONPATH', path)
    return [each for each in child.run('one by one', {})
            if each.level == 'wrong']


def test_mmcv_is_too_new(tmp_path: Path,
                         monkeypatch: pytest.MonkeyPatch) -> None:
    """mmdet's refusal is told once, not again for all that stand on it."""
    fake_package(tmp_path, mmcv__ops='')
    (tmp_path / 'mmcv' / '__init__.py').write_text('__version__ = "2.2.0"')
    finding, other = one_by_one(str(tmp_path), monkeypatch)
    assert finding.name == 'mmdet'
    assert other.name == 'mmcv'  # of the fake one, which is not whole
    assert 'the versions exclude one another' in finding.text
    assert 'MMCV==2.2.0' in finding.text
    assert finding.command.endswith('pip install mmcv-lite==2.0.1')


def test_missing_mmcv(tmp_path: Path,
                      monkeypatch: pytest.MonkeyPatch) -> None:
    finding, = one_by_one(blocked(tmp_path, 'mmcv'), monkeypatch)
    assert finding.name == 'mmcv'
    assert "No module named 'mmcv'" in finding.text
    assert 'mmcv-lite==' in finding.command


@pytest.mark.skipif(os.name == 'nt', reason='Windows has no signals')
def test_crash_at_import(tmp_path: Path,
                         monkeypatch: pytest.MonkeyPatch) -> None:
    """torch for another CPU ends the process that imports it, not us."""
    monkeypatch.setenv('PYTHONPATH', blocked(
        tmp_path, 'torch', action='import os; os.kill(os.getpid(), 4)'))
    *others, finding = child.run('one by one', {})
    assert [each.name for each in others] == ['numpy']
    assert (finding.name, finding.level) == ('torch', 'wrong')
    assert finding.text == (
        'the process that tried it was ended by SIGILL, an instruction that '
        'this CPU does not have')
    assert finding.command.endswith('-c "import torch"')


def test_endless_import(tmp_path: Path,
                        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('PYTHONPATH', blocked(
        tmp_path, 'torch', action='import time; time.sleep(60)'))
    finding = child.run('devices', {}, time_limit=0.5)[-1]
    assert finding.text.endswith('did not end in 0.5 s')


def test_whole_and_plain(tmp_path: Path) -> None:
    """A stack that works: nothing is wrong, and its text is for logs."""
    done = run(str(PACKAGE), tmp_path, TOOL)
    assert done.code == 0, done.stdout
    lines = done.stdout.splitlines()
    assert lines[-1].startswith('0 wrong, ')
    assert lines[-1].endswith('Nothing keeps lmim from working here.')
    for title in ('machine', 'versions', 'imports', 'devices', 'folders',
                  'data'):
        assert title in lines
    for name in ('lmim', 'work-around mmcv_ext', 'mmcv operators',
                 'cpu fp32', 'cpu bf16', 'worker', 'data sets found'):
        assert any(name in line for line in lines), name
    assert os.listdir(tmp_path) == []


def test_mends_are_repeated_at_the_end() -> None:
    text = plain([Finding('imports', 'a', 'wrong', 'broken', 'mend a'),
                  Finding('imports', 'b', 'note', 'so so', 'mend b'),
                  Finding('data', 'c', 'wrong', 'broken', 'mend a')])
    assert text.endswith('2 wrong, 1 to note, 0 ok. What mends it:\n  mend a')
    assert text.count('mend a') == 3
