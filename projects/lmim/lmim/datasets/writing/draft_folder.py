"""A folder in which one process makes something, over several runs."""
import json
import shutil
from pathlib import Path
from typing import IO, Any, Mapping, Optional, Sequence

from lmim.utils.atomic import whole_file

SETTINGS, LOCK = 'draft.json', 'lock'


class DraftFolder:
    """Belongs to one process at a time, and to one set of settings.

    Args:
        path (Path): The folder.
        parts (Sequence[str]): Folders in it, made when it is begun.
        files (Sequence[str]): Names of files that may be in it.
    """

    def __init__(self, path: Path, parts: Sequence[str],
                 files: Sequence[str]) -> None:
        self.path = path
        self.parts = list(parts)
        self.known = {*files, *parts, SETTINGS, LOCK}
        self._lock: Optional[IO[str]] = None
        self._alone = False  # in a folder that was made for it

    def claim(self, settings: Mapping[str, Any], overwrite: bool) -> None:
        """Take over the draft that is there, or begin one.

        Args:
            settings (Mapping[str, Any]): What it is made of, of types that
                JSON has.
            overwrite (bool): Whether a draft of other settings gives way.

        Raises:
            BlockingIOError: If another process has it.
            FileExistsError: If it is of other settings, or no draft.
        """
        self._refuse_other()
        self._alone = not self.path.parent.exists()
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(self.path)
        wanted = json.loads(json.dumps(settings))
        file = self.path / SETTINGS
        found = (json.loads(file.read_text(encoding='utf-8'))
                 if file.exists() else None)
        if found is None or (found != wanted and overwrite):
            self._begin(wanted)
        elif found != wanted:
            differ = [key for key in {**wanted, **found}
                      if wanted.get(key) != found.get(key)]
            raise FileExistsError(
                f'{self.path} was begun with other settings or sources '
                f'({", ".join(differ)}), and is not mixed with these. Give '
                'those to finish it. To begin anew, remove that folder or '
                'give --overwrite')

    def _refuse_other(self) -> None:
        """Leave a folder alone that somebody else has made."""
        # A kill may have left what was to become the file of settings.
        others = {
            entry.name
            for entry in (self.path.iterdir() if self.path.exists() else ())
            if not entry.name.startswith(f'{SETTINGS}.')
        }
        if not others <= self.known:
            raise FileExistsError(
                f'{self.path} is in the way, and is no draft of this '
                'command. Move it')

    def _begin(self, settings: Mapping[str, Any]) -> None:
        """Make it empty and write the settings.

        Their file is removed first and comes last: where it is, the parts
        are as it says, and one that is missing was moved to its place.
        """
        for entry in sorted(self.path.iterdir(),
                            key=lambda entry: entry.name != SETTINGS):
            if entry.name != LOCK:
                _remove(entry)
        for name in self.parts:
            (self.path / name).mkdir()
        with whole_file(self.path / SETTINGS) as draft:
            draft.write_text(json.dumps(settings, indent=2) + '\n',
                             encoding='utf-8')

    def release(self, keep: bool) -> None:
        """Leave it to others, or remove it."""
        if self._lock is not None:
            self._lock.close()
            if not keep:
                # The settings last: a kill meanwhile leaves a draft of which
                # nothing is left to do.
                for entry in sorted(self.path.iterdir(),
                                    key=lambda entry: entry.name == SETTINGS):
                    _remove(entry)
                self.path.rmdir()
                if self._alone and not any(self.path.parent.iterdir()):
                    self.path.parent.rmdir()


def _remove(entry: Path) -> None:
    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _lock(folder: Path) -> IO[str]:
    """Keep other processes out until the file is closed.

    A kill opens it too, and workers that were forked do not keep it.
    """
    file = open(folder / LOCK, 'w', encoding='utf-8')
    try:
        import fcntl
    except ImportError:  # Windows
        return file
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        file.close()
        raise BlockingIOError(
            f'{folder} is in the hands of another process, which makes the '
            'same. Wait until it has ended') from error
    return file
