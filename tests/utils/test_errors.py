"""Errors of this process and of workers end in one message."""
from typing import Any

import lmdb
import pytest
from torch.utils.data import DataLoader, Dataset

from lmim.datasets import TooManyUnreadableError
from lmim.utils.errors import UserError, end_after

MESSAGE = 'what is wrong:\n  a: b\nwhat to do'


class Failing(Dataset):
    """Raises an error in place of its only record."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Any:
        raise self.error


def caught(error: Exception, num_workers: int) -> Exception:
    with pytest.raises(type(error)) as raised:
        list(DataLoader(Failing(error), num_workers=num_workers))
    return raised.value


@pytest.mark.parametrize('num_workers', [0, 1])
@pytest.mark.parametrize('kind', [UserError, FileNotFoundError,
                                  TooManyUnreadableError])
def test_the_message_alone_is_printed(
        kind: type, num_workers: int, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture) -> None:
    error = caught(kind(MESSAGE), num_workers)
    assert end_after(error, 'check') == 1
    assert capsys.readouterr().err == f'check: error: {MESSAGE}\n'
    assert end_after(error) == 1
    assert capsys.readouterr().err == (
        f'\nError: {MESSAGE}\n(LMIM_DEBUG=1 shows where it was raised.)\n')
    monkeypatch.setenv('RANK', '1')  # the first process prints it in full
    end_after(error)
    assert '\nError: [process 1] what is wrong:\n(' in capsys.readouterr().err
    with pytest.raises(kind):
        end_after(error, debug=True)
    monkeypatch.setenv('LMIM_DEBUG', '1')
    with pytest.raises(kind):
        end_after(error)


def test_what_else_ends_without_a_traceback(
        capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(lmdb.Error) as error:
        lmdb.open('/nowhere/a.lmdb', readonly=True)
    assert end_after(error.value) == 1
    assert '/nowhere/a.lmdb' in capsys.readouterr().err
    assert end_after(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == 'interrupted\n'


@pytest.mark.parametrize('error', [
    RuntimeError('x'), ValueError('x'), KeyError('x')])
def test_errors_of_libraries_keep_their_traceback(error: Exception) -> None:
    for raised in (error, caught(error, 1)):
        with pytest.raises(type(error)):
            end_after(raised)


@pytest.mark.parametrize('error, told', [
    (RuntimeError('DataLoader worker (pid 7) is killed by signal: Bus error. '
                  "It is possible that dataloader's workers are out of "
                  'shared memory. Please try to raise your shared memory '
                  'limit.'), '--shm-size=8g'),
    (RuntimeError('DataLoader worker (pid 7) is killed by signal: Killed. '),
     'A worker of a dataloader was killed, '),
    (RuntimeError('DataLoader worker (pid(s) 7, 8) exited unexpectedly'),
     'A worker of a dataloader was killed, '),
    (RuntimeError("[enforce fail at alloc_cpu.cpp:117] err == 0. "
                  "DefaultCPUAllocator: can't allocate memory: you tried to "
                  'allocate 8 bytes.'), 'Memory ran out: set batch_size'),
    (RuntimeError('CUDA out of memory. Tried to allocate 2.00 GiB'),
     'Memory ran out: set batch_size'),
    (MemoryError(), 'MemoryError.\nMemory ran out: set batch_size'),
    (RuntimeError('DataLoader worker (pid 7) is killed by signal: Bus error. '
                  'Please try to raise your shared memory limit.'),
     'an LMDB is damaged'),
    (RuntimeError('unable to write to file </torch_7_1_0>: No space left on '
                  'device (28)'), 'num_workers'),
    (RuntimeError('unable to mmap 64 bytes from file </torch_1>: Cannot '
                  'allocate memory (12)'), '/dev/shm'),
    (ImportError('Please run "pip install wandb" to install wandb'),
     'pip install wandb'),
])
def test_a_machine_that_lacks_something(
        error: Exception, told: str, capsys: pytest.CaptureFixture) -> None:
    assert end_after(error) == 1
    assert told in capsys.readouterr().err
