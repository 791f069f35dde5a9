"""Fixtures shared by all tests."""
import os
import sys
from pathlib import Path

import pytest

import lmim  # noqa: F401  (registers every component)
from tests.good_runs import nothing_lost, room  # noqa: F401
from tests.tool_runs import REPO

# The scripts of tools/ that tests start use this environment, and make none.
os.environ.setdefault('PYTHON', sys.executable)

SHARED = REPO.parent / 'shared'


@pytest.fixture(scope='session')
def repo() -> Path:
    """The root of the repository."""
    return REPO


@pytest.fixture(scope='session')
def shared_data() -> Path:
    """A folder of real pictures beside the repository, where there is one."""
    path = SHARED / 'data'
    if not path.is_dir():
        pytest.skip(f'real pictures are not at hand: {path} does not exist')
    return path


@pytest.fixture(scope='session')
def shared_reference() -> Path:
    """Reference numbers of the published code, where they are at hand."""
    path = SHARED / 'reference'
    if not path.is_dir():
        pytest.skip(f'reference numbers are not at hand: {path} does not '
                    'exist')
    return path
