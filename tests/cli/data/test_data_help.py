"""What `lmim data --help` and its commands' say."""
import shlex

import pytest

from lmim.cli.data import TOOL, main


def told(capsys: pytest.CaptureFixture, *argv: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        main([*argv, '--help'])
    assert stopped.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize('name', sorted(TOOL.commands))
def test_each_command_has_an_example_that_parses(capsys, name):
    example = TOOL.commands[name].example
    assert f'example:\n  lmim data {example}' in told(capsys, name)
    args = TOOL.parser().parse_args(shlex.split(example))
    assert args.command == name
