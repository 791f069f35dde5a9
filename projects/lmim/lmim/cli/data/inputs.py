"""The arguments by which a command is told what to read."""
import argparse
import os.path as osp
from typing import Any, Dict, List, Union

from lmim.datasets.records import (JoinedSource, RecordSource, is_lmdb,
                                   open_sources)

Spec = Union[str, Dict[str, Any]]


def add_input_arguments(parser: argparse.ArgumentParser,
                        nargs: str = '+') -> None:
    """Declare what a command reads: ``SOURCE``, and what belongs to it.

    Args:
        parser (argparse.ArgumentParser): Of the command.
        nargs (str): How many sources there may be, as in argparse. Defaults
            to '+'.
    """
    add = parser.add_argument
    add('sources', nargs=nargs, metavar='SOURCE',
        help='an LMDB, a folder of images or of LMDBs, a list '
        '(path<TAB>label), JSON lines or MMOCR JSON')
    add('--labels', metavar='LMDB',
        help='an LMDB that holds the labels of SOURCE, an LMDB of images')
    add('--image-root', metavar='DIR',
        help='the folder from which the paths in a list or JSON start '
        '(default: the one that the file lies in)')


def open_input(args: argparse.Namespace) -> RecordSource:
    """Open what :func:`add_input_arguments` was given.

    Returns:
        RecordSource: All records, in the order of the sources.

    Raises:
        ValueError: If ``--labels`` or ``--image-root`` has nothing to belong
            to; and as :func:`~lmim.datasets.records.open_sources`.
        OSError: As the same.
    """
    sources = args.sources
    if isinstance(sources, str):  # nargs of None
        sources = [sources]
    if args.labels is not None and len(sources) != 1:
        raise ValueError(
            f'--labels {args.labels} belongs to one LMDB of images, and '
            f'there are {len(sources)} sources. Make each of them an LMDB '
            'with labels by `create` first')
    if args.image_root is not None and not any(map(_may_be_list, sources)):
        raise ValueError(
            f'--image-root {args.image_root} is for paths in a list or JSON, '
            'and no SOURCE is such a file. Leave it out')
    specs: List[Spec] = [_spec(path, args) for path in sources]
    return open_sources(specs)


def _spec(path: str, args: argparse.Namespace) -> Spec:
    """A path, with the arguments that belong to it."""
    spec: Dict[str, Any] = dict(path=path)
    if args.labels is not None:
        spec['labels'] = args.labels
    if args.image_root is not None and _may_be_list(path):
        spec['image_root'] = args.image_root
    return spec if len(spec) > 1 else path


def _may_be_list(path: str) -> bool:
    return not osp.isdir(path) and not is_lmdb(path)


def leaves(source: RecordSource) -> List[RecordSource]:
    """The sources that one is joined from, or itself."""
    if isinstance(source, JoinedSource):
        return [leaf for part in source.sources for leaf in leaves(part)]
    return [source]
