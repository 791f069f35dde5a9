"""Where the images of a list are."""
import logging
import os
import os.path as osp
from typing import Iterator, List, Optional, Sequence

from .log import tell

#: Folders above the list that are looked into.
_LEVELS = 3


def find_image_root(path: str, images: Sequence[str],
                    given: Optional[str] = None) -> str:
    """The folder that the paths in a list are relative to.

    That is the list's own folder, unless the images are not there but
    relative to exactly one of: the folders above it, the folders in it, the
    working directory.

    Args:
        path (str): The list.
        images (Sequence[str]): The first paths in it.
        given (str, optional): What the user says that it is.

    Raises:
        ValueError: If none of the images is there, or there are several such
            folders.
    """
    own = osp.dirname(path)
    likely = own if given is None else given
    if _any_exists(likely, images):
        return likely
    tried, found = [likely], []
    if given is None:
        others = list(_others(own))
        tried += others
        found = [root for root in others if _any_exists(root, images)]
    if len(found) == 1:
        tell(f'{path}: its paths are relative to {found[0]}.', logging.INFO)
        return found[0]
    mend = ('Give the folder that its paths are relative to as image_root: '
            f'dict(path={path!r}, image_root=FOLDER) in a config, '
            '`--image-root FOLDER` on the command line.')
    if found:
        raise ValueError(
            f'{path}: the images may be relative to any of '
            f'{", ".join(found)}. {mend}')
    raise ValueError(
        f'{path}: none of the first {len(images)} images exists, for example '
        f'{images[0]!r}, relative to {", ".join(map(_shown, tried))}. {mend}')


def _any_exists(root: str, images: Sequence[str]) -> bool:
    return any(osp.isfile(osp.join(root, image)) for image in images)


def _others(own: str) -> Iterator[str]:
    """Other folders that paths may be relative to, each once."""
    roots: List[str] = []
    above = osp.abspath(own)
    for _ in range(_LEVELS):
        above = osp.dirname(above)
        roots.append(above)
    with os.scandir(own or '.') as entries:
        roots += sorted(osp.join(own, entry.name) for entry in entries
                        if entry.is_dir())
    seen = {osp.realpath(own)}
    for root in [*roots, '']:
        if osp.realpath(root) not in seen:
            seen.add(osp.realpath(root))
            yield root


def _shown(root: str) -> str:
    return root or 'the working directory'
