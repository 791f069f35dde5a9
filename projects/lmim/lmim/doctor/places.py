"""Folders: where data lies and where results go."""
import os
import shutil
import tempfile
from pathlib import Path
from typing import Iterator, Optional

from . import shell
from .finding import Finding, note, ok, wrong

SECTION = 'folders'
#: Gigabytes that the checkpoints of a run take (ViT-S, three are kept).
ROOM = 2.
#: As `lmim.datasets.known_sets` has it, which needs MMEngine.
DATA_ROOT = 'LMIM_DATA_ROOT'


def check_places(data_root: Optional[str],
                 work_dir: str) -> Iterator[Finding]:
    """Look at the data root and the work dir.

    Args:
        data_root (str, optional): None for that of the environment.
        work_dir (str): Where results go.
    """
    yield data_folder(data_root)
    yield work_folder(Path(work_dir))


def data_folder(data_root: Optional[str]) -> Finding:
    """Whether the folder that holds all data sets is there and readable."""
    given = data_root or os.environ.get(DATA_ROOT)
    root = Path(given or 'data')
    told = str(root.absolute())
    whose = ('' if not given else ' (--data-root)' if data_root else
             f' ({DATA_ROOT})')
    if root.is_dir() and os.access(root, os.R_OK | os.X_OK):
        return ok(SECTION, 'data root', told + whose)
    if root.is_dir():
        return wrong(SECTION, 'data root', f'{told}{whose} may not be read',
                     f'sudo chmod a+rX {shell.quoted([told])}')
    if root.exists() or root.is_symlink():
        return wrong(SECTION, 'data root', f'{told}{whose} is no folder',
                     f'export {DATA_ROOT}=FOLDER')
    if given:
        return wrong(SECTION, 'data root', f'{told}{whose} does not exist',
                     f'mkdir -p {shell.quoted([told])}')
    return note(SECTION, 'data root', f'{told} does not exist yet; another '
                f'place: {DATA_ROOT}. Words to try things on:',
                shell.tool('data', 'render', 'data/rendered'))


def work_folder(folder: Path) -> Finding:
    """Whether a file can be written below the folder of results."""
    told = str(folder.absolute())
    nearest = folder.absolute()
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    quoted = shell.quoted([str(nearest)])
    if not nearest.is_dir():
        return wrong(SECTION, 'work dir', f'{told}: {nearest} is no folder',
                     f'mv {quoted} {shell.quoted([f"{nearest}.old"])}')
    try:
        with tempfile.NamedTemporaryFile(dir=nearest) as file:
            file.write(b'lmim')
            file.flush()
    except OSError as error:
        return wrong(SECTION, 'work dir', f'{told} cannot be written to: '
                     f'{error.strerror}',
                     f'sudo chown -R "$USER" {quoted} && chmod -R u+w '
                     f'{quoted}')
    free = shutil.disk_usage(nearest).free / 2**30
    told += f', writable, {free:.1f} GB free'
    if free < ROOM:
        return note(SECTION, 'work dir', f'{told}: a run of ViT-S may need '
                    f'{ROOM:.0f}', f'df -h {quoted}')
    return ok(SECTION, 'work dir', told)
