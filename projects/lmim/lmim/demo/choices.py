"""The checkpoints that a page offers; no others can be loaded from it."""
import sys
from functools import lru_cache
from pathlib import Path
from typing import Dict, List, Optional, Sequence

from lmim.checkpoints.reading import SUFFIX
from lmim.cli import track
from lmim.apis import TextRecognizer

SUFFIXES = ('.pth', '.pt', SUFFIX)
#: Recognizers in memory: two, so that they can be compared without waiting.
KEPT = 2


class Checkpoints:
    """Recognizers by the names of their files.

    Each is loaded once here, so that a page offers only what works.

    Args:
        files (Sequence[Path]): Checkpoints, which must be recognizers.
        folder (Path, optional): A folder in which, and in whose folders, they
            are looked for. What is no recognizer is told, and left out.
        device (str, optional): As of
            :class:`~lmim.apis.TextRecognizer`.

    Raises:
        FileNotFoundError: If a file or the folder does not exist.
        CheckpointError: If one of the files is no recognizer.
        ValueError: If there is none at all, or the device cannot be used.

    Attributes:
        names (List[str]): What a page calls them, in order: the names of the
            files, with as many folders before them as tell them apart.
    """

    def __init__(self,
                 files: Sequence[Path],
                 folder: Optional[Path] = None,
                 device: Optional[str] = None) -> None:
        self.device = device
        self._load = lru_cache(maxsize=KEPT)(self._build)
        paths = list(dict.fromkeys(map(Path, files)))
        for path in reversed(paths):  # the first is needed first: kept
            self._load(path)
        if folder is not None:
            paths += [path for path in _working(self, find_checkpoints(folder))
                      if path not in paths]
        if not paths:
            raise ValueError(
                f'folder {folder} holds no checkpoint of a recognizer, which '
                'a run with a config of configs/textrecog leaves'
                if folder else 'no checkpoint: --checkpoint FILE')
        self._paths = short_names(paths)
        self.names = list(self._paths)

    def recognizer(self, name: str) -> TextRecognizer:
        """The recognizer of a name.

        Args:
            name (str): One of :attr:`names`.

        Raises:
            ValueError: If it is none of them.
            OSError, ValueError: If its file is no longer what it was.
        """
        if name not in self._paths:
            raise ValueError(f'There is no checkpoint {name!r} on this page.')
        return self._load(self._paths[name])

    def _build(self, path: Path) -> TextRecognizer:
        return TextRecognizer(path, device=self.device, batch_size=1)

    def works(self, path: Path) -> bool:
        """Whether a file is a recognizer; if not, says why."""
        try:
            self._load(path)
        except (OSError, ValueError) as error:
            reason = str(error).split('\n')[0]
            print(f'left out: {path}: {reason}', file=sys.stderr)
            return False
        return True


def find_checkpoints(folder: Path) -> List[Path]:
    """Files in a folder, and in those in it, that may be checkpoints.

    Args:
        folder (Path): Where to look.

    Raises:
        FileNotFoundError: If it is no folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(
            f'folder {folder} does not exist; a file is named by '
            '--checkpoint FILE')
    return sorted(path for path in folder.rglob('*')
                  if path.suffix in SUFFIXES and path.is_file())


def short_names(paths: Sequence[Path]) -> Dict[str, Path]:
    """Paths by their names, with folders where names alone are the same.

    Args:
        paths (Sequence[Path]): Different ones.

    Returns:
        Dict[str, Path]: In their order. All have as many folders as are
        needed to tell them apart.
    """
    depth = 1
    whole = max((len(path.parts) for path in paths), default=0)
    while depth < whole:
        names = ['/'.join(path.parts[-depth:]) for path in paths]
        if len(set(names)) == len(paths):
            return dict(zip(names, paths))
        depth += 1
    return {str(path): path for path in paths}


def _working(choices: Checkpoints, paths: Sequence[Path]) -> List[Path]:
    """Those that are recognizers."""
    return [path for path in track(paths, len(paths), 'loading checkpoints')
            if choices.works(path)]
