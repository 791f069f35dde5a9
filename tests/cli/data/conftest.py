"""Commands of `lmim data`, run in this process."""
import json
from typing import Any, Callable, Dict, Tuple

import pytest

from lmim.cli.data import main

Run = Callable[..., Tuple[int, Dict[str, Any]]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture) -> Run:
    """Runs a command with --json: exit status and what it printed."""

    def run(*argv: Any) -> Tuple[int, Dict[str, Any]]:
        status = main([*map(str, argv), '--json'])
        return status, json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def report(capsys: pytest.CaptureFixture) -> Callable[..., str]:
    """Runs a command: what it reports in words."""

    def report(*argv: Any) -> str:
        main([*map(str, argv)])
        return capsys.readouterr().out

    return report
