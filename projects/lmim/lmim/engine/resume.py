"""Which checkpoint a run goes on from."""
import os.path as osp
from pathlib import Path
from typing import Optional, Union

#: The file in which MMEngine keeps the path of the latest checkpoint.
LAST_CHECKPOINT = 'last_checkpoint'


def find_resumable(work_dir: Union[str, Path]) -> Optional[str]:
    """The latest checkpoint of a run, or None where there is none.

    MMEngine stores its absolute path in ``last_checkpoint``. A work dir that
    was moved or copied since is followed: the file of that name beside
    ``last_checkpoint`` is taken. Where ``last_checkpoint`` is gone or names
    nothing (MMEngine writes it in place), it is the newest ``epoch_*.pth`` or
    ``iter_*.pth`` in the folder.

    Args:
        work_dir (str or Path): The work dir of the run.

    Returns:
        str, optional: The path of the checkpoint.
    """
    work_dir = Path(work_dir)
    pointer = work_dir / LAST_CHECKPOINT
    name = pointer.read_text().strip() if pointer.is_file() else ''
    if name:
        # Beside the pointer first: a copied work dir goes on from its own
        # checkpoint although the original's is still there.
        for path in (work_dir / osp.basename(name), Path(name)):
            if path.exists():
                return str(path)
    found = [
        path for kind in ('epoch', 'iter')
        for path in work_dir.glob(f'{kind}_*.pth')
    ]
    if not found:
        return None
    return str(max(found, key=lambda path: path.stat().st_mtime))
