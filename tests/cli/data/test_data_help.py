"""What `lmim data --help` and its commands' say."""
import shlex

import pytest

from lmim.cli.command import make_parser
from lmim.cli.data import COMMANDS, TOOL, main


def told(capsys: pytest.CaptureFixture, *argv: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        main([*argv, '--help'])
    assert stopped.value.code == 0
    return capsys.readouterr().out


def test_a_line_for_each_command(capsys):
    lines = told(capsys).splitlines()
    begin = lines.index('commands:')
    listed = lines[begin + 1:lines.index('', begin)]
    assert listed == [f'  {name:<10}  {COMMANDS[name].summary}'
                      for name in sorted(COMMANDS)]
    assert max(map(len, lines)) < 80
    assert {'create', 'inspect', 'validate', 'split', 'crop', 'check',
            'dictionary', 'dedup', 'list', 'verify', 'render'} <= {*COMMANDS}


@pytest.mark.parametrize('name', sorted(COMMANDS))
def test_each_command_has_an_example_that_parses(capsys, name):
    example = COMMANDS[name].example
    assert f'example:\n  lmim data {example}' in told(capsys, name)
    args = make_parser(TOOL).parse_args(shlex.split(example))
    assert args.command == name


def test_the_commands_in_the_description_parse():
    commands = [line.split(maxsplit=2)[2]
                for line in TOOL.description.splitlines()
                if line.startswith('  lmim data')]
    assert len(commands) == 4
    for command in commands:
        assert make_parser(TOOL).parse_args(shlex.split(command)).command
