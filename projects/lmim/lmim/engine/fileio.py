"""MMEngine's files, written whole or not at all.

MMEngine's ``LocalBackend`` opens the file itself and writes into it: a run
that is killed meanwhile leaves half a checkpoint under the good name.
"""
from pathlib import Path
from typing import List, Union

from mmengine.fileio import LocalBackend, register_backend

from lmim.utils.atomic import PARTIAL, write_atomic


def remove_partial(folder: Union[str, Path]) -> List[Path]:
    """Remove what a killed run was writing when it ended.

    Args:
        folder (str or Path): The folder to look in, not below.

    Returns:
        List[Path]: The files that were removed.
    """
    partials = sorted(Path(folder).glob('*' + PARTIAL))
    for partial in partials:
        partial.unlink()
    return partials


@register_backend('atomic_local')
class AtomicLocalBackend(LocalBackend):
    """MMEngine's local backend, with writes that are whole or not at all.

    ``backend_args=dict(backend='atomic_local')`` chooses it.
    """

    def put(self, obj: bytes, filepath: Union[str, Path]) -> None:
        """Write bytes; see :func:`lmim.utils.atomic.write_atomic`."""
        write_atomic(filepath, obj)

    def put_text(self,
                 obj: str,
                 filepath: Union[str, Path],
                 encoding: str = 'utf-8') -> None:
        """Write text; see :func:`lmim.utils.atomic.write_atomic`."""
        write_atomic(filepath, obj.encode(encoding))
