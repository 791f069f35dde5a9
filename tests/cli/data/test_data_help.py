"""What `lmim data --help` and its commands' say."""
import re
import shlex

import pytest

from lmim.cli.command import make_parser
from lmim.cli.data import COMMANDS, TOOL, main


def told(capsys: pytest.CaptureFixture, *argv: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        main([*argv, '--help'])
    assert stopped.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize('name', sorted(COMMANDS))
def test_each_command_has_an_example_that_parses(capsys, name):
    example = COMMANDS[name].example
    assert f'example:\n  lmim data {example}' in told(capsys, name)
    args = make_parser(TOOL).parse_args(shlex.split(example))
    assert args.command == name
