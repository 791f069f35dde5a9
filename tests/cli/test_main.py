"""`lmim COMMAND` and `python -m lmim COMMAND`."""
import subprocess
import sys
from pathlib import Path

import pytest

from lmim.cli.main import COMMANDS, main
from tests.fresh_python import PACKAGE


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
        repo: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, '-m', 'lmim', 'data', 'list', '--help'],
        cwd=tmp_path, env={'PYTHONPATH': str(PACKAGE)}, text=True,
        capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith('usage: lmim data list [')
    # The function that is imported above.
    assert "['lmim = lmim.cli.main:main']" in (repo / 'setup.py').read_text()
