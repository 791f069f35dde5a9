"""`python -m lmim COMMAND`."""
from pathlib import Path

import pytest

from lmim.commands import COMMANDS, main


@pytest.mark.parametrize('name', sorted(COMMANDS))
def test_each_is_there(name: str, repo: Path,
                       capsys: pytest.CaptureFixture) -> None:
    assert (repo / 'tools' / f'{name}.py').is_file()
    with pytest.raises(SystemExit) as stopped:
        main([name, '--help'])
    assert stopped.value.code == 0
    assert capsys.readouterr().out.startswith('usage:')


def test_they_are_listed(capsys: pytest.CaptureFixture) -> None:
    assert main([]) == 0
    listed = capsys.readouterr().out
    for name, entry in COMMANDS.items():
        assert f'  {name}' in listed and entry.summary in listed
    assert main(['nothing']) == 2
    assert "'nothing' is no command" in capsys.readouterr().out
