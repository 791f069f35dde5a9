"""`lmim COMMAND` and `python -m lmim COMMAND`."""
import runpy
import sys
from pathlib import Path

import pytest

from lmim.cli.main import COMMANDS, main


@pytest.mark.parametrize('name', sorted(COMMANDS))
def test_commands_are_there(name: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([name, '--help'])
    assert stopped.value.code == 0
    assert capsys.readouterr().out.startswith(f'usage: lmim {name} [')


def test_commands_are_listed(capsys: pytest.CaptureFixture) -> None:
    assert main([]) == main(['--help']) == 0
    listed = capsys.readouterr().out
    for name, summary in COMMANDS.items():
        assert f'  {name}' in listed and summary in listed
    assert main(['nothing']) == 2
    assert "there is no command 'nothing'" in capsys.readouterr().err


def test_the_module_and_the_script_are_the_same(
        repo: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr(sys, 'argv', ['lmim', 'data', 'list', '--help'])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_module('lmim', run_name='__main__')
    assert stopped.value.code == 0
    assert capsys.readouterr().out.startswith('usage: lmim data list [')
    # The function that is imported above.
    assert "['lmim = lmim.cli.main:main']" in (repo / 'setup.py').read_text()
