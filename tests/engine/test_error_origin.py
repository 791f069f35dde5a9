"""Errors of this process and of workers are told alike."""
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from lmim.datasets import TooManyUnreadableError
from lmim.engine.error_origin import origin_of
from lmim.engine.launch import run_cleanly

MESSAGE = 'what is wrong:\n  a: b\nwhat to do'


class Failing(Dataset):
    """Raises an error in place of its only record."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Any:
        if self.error.args == ('library', ):
            return torch.zeros(2) @ torch.zeros(3)
        raise self.error


def read(error: Exception, num_workers: int) -> None:
    list(DataLoader(Failing(error), num_workers=num_workers))


@pytest.mark.parametrize('num_workers', [0, 1])
@pytest.mark.parametrize('kind', [ValueError, KeyError,
                                  TooManyUnreadableError])
def test_origin_and_message_are_found(kind: type, num_workers: int) -> None:
    with pytest.raises(kind) as caught:
        read(kind(MESSAGE), num_workers)
    origin = origin_of(caught.value)
    with open(__file__) as file:
        lines = file.read().splitlines()
    assert origin.file == __file__
    assert lines[origin.line - 1] == '        raise self.error'
    wanted = repr(MESSAGE) if (kind, num_workers) == (KeyError, 1) else MESSAGE
    assert origin.message == wanted


def test_errors_of_libraries_in_workers_keep_their_traceback() -> None:
    with pytest.raises(RuntimeError, match='Original Traceback'):
        run_cleanly(lambda: read(ValueError('library'), 1))
