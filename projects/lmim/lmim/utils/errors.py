"""Errors that a user can fix, and how a command ends after one."""
import errno
import os
import re
import sys
from typing import Sequence

import lmdb

EXIT_CODES = """exit status:
  0    done (or nothing to do)
  1    not done, or done and something found that is wrong; the message
       says what, and what to do
  2    the command line is wrong
  130  interrupted; nothing half-made is left at the place of the result"""


_SHARED_MEMORY = (
    'The workers of a dataloader hand batches over in shared memory '
    '(/dev/shm), and it is full or small: start the container with '
    '--shm-size=8g, or set num_workers or batch_size of the dataloader lower, '
    'as --cfg-options train_dataloader.num_workers=0')
#: What libraries say where a machine is too small, and what to do. The first
#: that fits is taken.
_TOO_SMALL = [(re.compile(pattern), advice) for pattern, advice in (
    (r'killed by signal: Bus error',
     f'{_SHARED_MEMORY}. Or an LMDB is damaged so that reading it kills a '
     'process: `lmim data validate` on each tells which'),
    (r'out of shared memory|shared memory limit|'
     r'unable to (write to|mmap|open|resize|allocate) .*'
     r'(shm|/torch_|shared memory)',
     _SHARED_MEMORY),
    (r'DataLoader worker \(pid.*(killed by signal|exited unexpectedly)',
     'A worker of a dataloader was killed, as it is when memory runs out: '
     'set num_workers or batch_size of the dataloader lower, as '
     '--cfg-options train_dataloader.num_workers=0'),
    (r"can't allocate memory|not enough memory|[Uu]nable to allocate|"
     'bad_alloc|out of memory|^MemoryError$',
     'Memory ran out: set batch_size lower, as --cfg-options '
     'train_dataloader.batch_size=16, or model.backbone.with_cp=True'))]


class UserError(ValueError):
    """An error whose cause is the user's to fix.

    Its message says what is wrong, where, and what to do; commands print the
    message alone, without a traceback.
    """


class CheckpointError(UserError):
    """A checkpoint that cannot be read or does not fit.

    The message names the file, what is wrong with it and what to do.
    """


def end_after(error: BaseException, name: str = '',
              debug: bool = False) -> int:
    """End a command after an error: print its message, if it is the user's.

    Those are :class:`UserError`, what the system or LMDB says of a file, a
    name in a config that no registry has, a library that says how it is
    installed, and a lack of memory.

    Args:
        error (BaseException): What was raised.
        name (str): Of the command. Without one, as in training, the message
            comes after a long log: it gets a paragraph of its own, and says
            how to see the traceback.
        debug (bool): Whether to show the traceback in any case; so does the
            environment's ``LMIM_DEBUG=1``. Defaults to False.

    Returns:
        int: The exit status; see :data:`EXIT_CODES`.

    Raises:
        BaseException: ``error``, if it is not the user's to fix, or with
            ``debug``.
    """
    if isinstance(error, KeyboardInterrupt):
        print('interrupted', file=sys.stderr)
        return 130
    fixable = isinstance(error, (UserError, OSError, lmdb.Error)) or (
        isinstance(error, KeyError) and 'registry' in str(error)) or (
        isinstance(error, ImportError) and 'pip install' in str(error)) or (
        bool(_advice(error)))
    if (not fixable or debug
            or os.environ.get('LMIM_DEBUG', '') not in ('', '0')):
        raise error
    text = message_of(error)
    rank = int(os.environ.get('RANK', 0))
    if rank:  # one process prints it in full
        text = f'[process {rank}] {text.splitlines()[0]}'
    print(f'{name}: error: {text}' if name else
          f'\nError: {text}\n(LMIM_DEBUG=1 shows where it was raised.)',
          file=sys.stderr, flush=True)
    return 1


def message_of(error: BaseException) -> str:
    """The message of an error, raised in this process or in a worker.

    A worker of a DataLoader sends its error as text, traceback included, and
    torch raises an error of the same type with that text.

    Args:
        error (BaseException): The error, as it was caught.
    """
    text = str(error.args[0] if isinstance(error, KeyError) and error.args
               else error) or type(error).__name__
    advice = _advice(error)
    if advice:
        return f'{text.strip().rstrip(".")}.\n{advice}'
    if isinstance(error, OSError) and error.errno in (
            errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return (f'{text}. There is no room for it: free some, or name '
                'another folder; what was written before is whole')
    if 'in DataLoader worker process' not in text.split('\n', 1)[0]:
        return text
    # Behind the last step of the traceback.
    head = rf'^(?:\w+\.)*{type(error).__name__}: '
    parts = re.split(head, text, flags=re.M)
    return parts[-1].rstrip('\n')


def _advice(error: BaseException) -> str:
    """What to do where the machine is too small, or ''."""
    if not isinstance(error, (RuntimeError, MemoryError)):
        return ''
    text = str(error) or type(error).__name__
    return next((advice for pattern, advice in _TOO_SMALL
                 if pattern.search(text)), '')


def some(names: Sequence[str], most: int = 6) -> str:
    """The first of several names, and how many there are."""
    more = f' ... {len(names)} in all' if len(names) > most else ''
    return ', '.join(names[:most]) + more
