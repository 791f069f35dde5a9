"""The recognizers of `lmim demo`: no other files are read for its page."""
import os
import sys
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, List, Optional, Sequence

from lmim.apis import TextRecognizer
from lmim.models.textrecog import PromptPool
from lmim.utils.errors import UserError

from . import track

SUFFIXES = ('.pth', '.pt', '.safetensors')
#: Recognizers in memory, so that two can be compared without waiting.
KEPT = 2


class Checkpoints:
    """The recognizers of a page; no others can be loaded from it.

    Each is loaded once here, so that a page offers only what works.

    With ``pool``, the file of one, the recognizer reads with it, and what is
    corrected is written there; the file may not be there yet.

    The files must be recognizers; in the folder more are looked for, at any
    depth, and what is none is reported and left out.

    Raises:
        FileNotFoundError: If a file or the folder does not exist.
        UserError: If one of the files is no recognizer, or there is none at
            all, or the device cannot be used.
    """

    def __init__(self, files: Sequence[Path], folder: Optional[Path] = None,
                 device: Optional[str] = None,
                 orientation: str = 'upright',
                 pool: Optional[Path] = None) -> None:
        self._load = lru_cache(maxsize=KEPT)(partial(
            _with_pool, pool, device=device, batch_size=1,
            orientation=orientation, char_boxes=True))
        paths = [Path(os.path.abspath(path)) for path in files]
        for path in reversed(paths):  # the first is needed first: kept
            self._load(path)
        if folder is not None:
            paths += self._working(Path(os.path.abspath(folder)))
        if not paths:
            raise UserError(
                f'{folder} holds no checkpoint of a recognizer, which a run '
                'with a config of configs/textrecog leaves')
        root = os.path.commonpath([path.parent for path in paths])
        self._paths = {str(path.relative_to(root)): path for path in paths}
        #: What a page calls them, in order: with as many folders before
        #: their names as tell them apart.
        self.names: List[str] = list(self._paths)

    def recognizer(self, name: str) -> TextRecognizer:
        """That of one of :attr:`names`, or an OSError or UserError."""
        if name not in self._paths:
            raise UserError(f'There is no checkpoint {name!r} on this page.')
        return self._load(self._paths[name])

    def _working(self, folder: Path) -> List[Path]:
        """The recognizers in a folder; of others it is said why not."""
        if not folder.is_dir():
            raise FileNotFoundError(
                f'folder {folder} does not exist; a file is named by '
                '--checkpoint FILE')
        files = sorted(path for path in folder.rglob('*')
                       if path.suffix in SUFFIXES and path.is_file())
        working = []
        for path in track(files, len(files), 'loading checkpoints'):
            try:
                self._load(path)
                working.append(path)
            except (OSError, ValueError) as error:
                reason = str(error).split('\n')[0]
                print(f'left out: {path}: {reason}', file=sys.stderr)
        return working


def _with_pool(pool: Optional[Path], checkpoint: Path,
               **settings: Any) -> TextRecognizer:
    """A recognizer, and its pool, which is empty where there is no file."""
    recognizer = TextRecognizer(checkpoint, **settings)
    if pool is not None:
        model = recognizer.in_context()
        recognizer.use_pool(pool if pool.exists() else
                            PromptPool(model.fingerprint(), pool))
    return recognizer
