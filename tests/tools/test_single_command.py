"""Tools with one command."""
import argparse
import json
from typing import Any, Dict

import pytest

from lmim.cli import Command, run_command, run_tool, Tool


class Double(Command):
    """Double a number."""

    name = 'double'
    summary = 'double a number'
    example = '4'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument('number', type=int)

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        print('a library speaks')
        if args.number < 0:
            raise ValueError('it is negative: give another')
        return dict(twice=2 * args.number)

    def report(self, result: Dict[str, Any]) -> str:
        return f'twice: {result["twice"]}'


def test_its_name_is_not_typed(capsys):
    assert run_command('double.py', Double(), ['4']) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ('twice: 8\n', 'a library speaks\n')
    assert run_command('double.py', Double(), ['4', '--json']) == 0
    assert json.loads(capsys.readouterr().out) == dict(
        command='double', twice=8)
    assert run_command('double.py', Double(), ['-1']) == 1
    assert capsys.readouterr().err.endswith(
        'double: error: it is negative: give another\n')


def test_help_tells_how_it_is_called(capsys):
    with pytest.raises(SystemExit):
        run_command('double.py', Double(), ['--help'])
    out = capsys.readouterr().out
    assert out.startswith('usage: double.py [-h]')
    assert 'python tools/double.py 4' in out and 'exit status' in out


def test_results_alone_are_on_standard_output(capsys):
    tool = Tool('t.py', 'Tools.', {'double': Double()})
    assert run_tool(tool, ['double', '3']) == 0
    assert capsys.readouterr().out == 'twice: 6\n'
