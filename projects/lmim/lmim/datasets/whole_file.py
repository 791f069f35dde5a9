"""A file that appears whole or not at all."""
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Union


@contextmanager
def whole_file(path: Union[str, Path],
               overwrite: bool = False) -> Iterator[Path]:
    """Make a file beside its place, and move it there once it is whole.

    ``with whole_file(path) as draft:`` writes the file ``draft``, which is
    named ``<path>.tmp-<process id>``. An error inside removes it, and what
    was at ``path`` before stays.

    Args:
        path (str or Path): The file to make; folders above it are made.
        overwrite (bool): Whether a file that is there gives way.

    Yields:
        Path: Where to write.

    Raises:
        FileExistsError: If something is at ``path`` and may not be replaced.
    """
    path = Path(path)
    refuse_file(path, overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f'{path.name}.tmp-{os.getpid()}')
    try:
        yield draft
        with open(draft, 'rb+') as file:
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        if draft.exists():
            draft.unlink()
        raise


def refuse_file(path: Union[str, Path], overwrite: bool = False) -> None:
    """Say early that a file cannot be written, before long work.

    Raises:
        FileExistsError: If something is at ``path`` and may not be replaced.
    """
    path = Path(path)
    if path.is_dir():
        raise FileExistsError(
            f'{path} is a folder; give the path of a file to make')
    if path.exists() and not overwrite:
        raise FileExistsError(
            f'{path} exists; give another path, or say that it may be '
            'overwritten (--overwrite)')
