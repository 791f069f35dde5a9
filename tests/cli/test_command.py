"""Tools with sub-commands: results, errors, help."""
import argparse
import json
from typing import Any, Dict

import pytest

from lmim.cli import Command, Tool
from lmim.utils.errors import UserError


class Double(Command):
    """Double a number."""

    name = 'double'
    summary = 'double a number'
    example = 'double 4'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument('number', type=int)

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        print('a library speaks')
        if args.number < 0:
            raise UserError('it is negative: give another')
        if args.number == 0:
            raise KeyboardInterrupt
        return dict(twice=2 * args.number, ok=args.number < 100)

    def report(self, result: Dict[str, Any]) -> str:
        return f'twice: {result["twice"]}'


def run(capsys: pytest.CaptureFixture, *argv: str) -> tuple:
    status = Tool('lmim sums', 'Sums.', Double()).main(['double', *argv])
    return (status, *capsys.readouterr())


def test_results_alone_are_on_standard_output(capsys):
    assert run(capsys, '4') == (0, 'twice: 8\n', 'a library speaks\n')
    assert run(capsys, '400')[:2] == (1, 'twice: 800\n')
    status, out, _ = run(capsys, '4', '--json')
    assert json.loads(out) == dict(command='double', twice=8, ok=True)


def test_errors_end_in_their_message(capsys):
    status, out, err = run(capsys, '-1', '--json')
    assert status == 1 and json.loads(out) == dict(
        command='double', error='it is negative: give another')
    assert err.endswith('double: error: it is negative: give another\n')
    assert run(capsys, '0')[::2] == (130, 'a library speaks\ninterrupted\n')
    with pytest.raises(UserError):
        run(capsys, '-1', '--debug')


def test_of_a_single_command_the_name_is_not_typed(capsys):
    assert Double().main(['4']) == 0
    assert capsys.readouterr().out == 'twice: 8\n'
    with pytest.raises(SystemExit):
        Double().main(['--help'])
    assert capsys.readouterr().out.startswith('usage: lmim double [-h]')
