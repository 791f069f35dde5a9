"""The command line of `tools/infer.py`."""
import argparse
import contextlib
import io
import json
import os
import sys
import time
from pathlib import Path
from typing import (Any, Callable, ContextManager, Dict, Iterator, List,
                    Optional, TextIO, Tuple)

import cv2

from lmim.cli import guarded, track
from lmim.utils.atomic import refuse_file, whole_file, write_atomic

from lmim.apis.arguments import make_parser
from lmim.apis.outputs import format_for, header, line
from lmim.datasets.pictures import Pictures
from lmim.apis.recognition import Recognition
from lmim.apis.recognizer import TextRecognizer


def main(argv: Optional[List[str]] = None) -> int:
    """Read pictures as the command line says.

    Args:
        argv (list[str], optional): Arguments. Defaults to the process's own.

    Returns:
        int: The exit status.
    """
    args = make_parser().parse_args(argv)
    out = sys.stdout

    def read() -> Optional[Dict[str, Any]]:
        try:
            return _run(args, out)
        except BrokenPipeError:
            # Whoever reads the words has seen enough, as `head` has. Nothing
            # is left to be written when Python ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
            return None

    status, result = guarded('infer', args, read)
    if result is None:
        return status
    if args.json:
        print(json.dumps({'command': 'infer', **result}, indent=2))
    else:
        print(_summary(result), file=sys.stderr)
    return 1 if result['unreadable'] else 0


def _run(args: argparse.Namespace, stdout: TextIO) -> Dict[str, Any]:
    """Read all pictures; what was done."""
    kind = format_for(args.output, args.format)
    if args.det_weights is not None and args.det is None:
        raise ValueError('--det-weights belong to a detector: --det CONFIG')
    for path in (args.output, args.sheet):
        if path is not None:
            refuse_file(path, args.overwrite)
    items, total, reader = _reader(args)
    shown: List[Recognition] = []
    held: List[Dict[str, Any]] = []
    counts = {'words': 0, 'unreadable': 0}
    start = time.monotonic()
    # Of a list on a terminal the lines themselves are the progress.
    lines_only = args.output is None and not args.json and stdout.isatty()
    if total > args.batch_size and not lines_only:
        items = track(items, total, 'reading')
    with _output(args, stdout) as out:
        out.write(header(kind))
        for word in reader(items):
            if word.error is not None:
                counts['unreadable'] += 1
                print(f'unreadable: {word.source}: {word.error}',
                      file=sys.stderr)
            else:
                counts['words'] += 1
            if args.sheet is not None and len(shown) < args.sheet_limit:
                shown.append(word)
            if args.json and args.output is None:
                held.append(word.to_dict())
            else:
                out.write(line(word, kind))
    seconds = time.monotonic() - start
    result: Dict[str, Any] = dict(
        ok=not counts['unreadable'], pictures=total, **counts,
        seconds=round(seconds, 3))
    if args.output is not None:
        result['output'] = str(args.output)
    elif args.json:
        result['results'] = held
    if args.sheet is not None:
        result.update(_write_sheet(shown, args.sheet))
    return result


def _reader(args: argparse.Namespace
            ) -> Tuple[Any, int, Callable[[Any], Iterator[Recognition]]]:
    """What is to be read, how much it is, and what reads it."""
    scenes: Optional[List[Any]] = None
    if args.polygons is not None:
        from lmim.datasets.scenes import read_scenes
        if args.det is not None:
            raise ValueError('--det finds the words, --polygons tells where '
                             'they are: give one of the two')
        if len(args.images) != 1:
            raise ValueError('with --polygons, IMAGES is the one folder in '
                             'which the photographs lie')
        scenes = read_scenes(args.polygons, Path(args.images[0]))[1]
    # Paths are looked for before the model is built.
    pictures = Pictures(args.images) if scenes is None else None
    recognizer = TextRecognizer(args.checkpoint, args.config, args.device,
                                args.batch_size, args.precision)
    if pictures is not None and args.det is None:
        return pictures, len(pictures), recognizer.read
    from lmim.apis.photographs import PhotographReader, read_annotated
    if pictures is not None:
        reader = PhotographReader(recognizer, args.det, args.det_weights,
                                  args.det_score)
        return pictures, len(pictures), reader.read
    assert scenes is not None
    return scenes, len(scenes), lambda items: read_annotated(recognizer, items)


@contextlib.contextmanager
def _file(path: Path) -> Iterator[TextIO]:
    """A file that is there once it is whole."""
    with whole_file(path, overwrite=True) as partial:
        with open(partial, 'w', encoding='utf-8', newline='') as file:
            yield file


def _output(args: argparse.Namespace,
            stdout: TextIO) -> ContextManager[TextIO]:
    """Where the words go."""
    if args.output is not None:
        return _file(args.output)
    if args.json:
        return contextlib.nullcontext(io.StringIO())
    return contextlib.nullcontext(stdout)


def _write_sheet(words: List[Recognition], path: Path) -> Dict[str, Any]:
    """Write the first words as a picture; what there is to say of it."""
    # Fonts take time to load.
    from lmim.apis.drawing import draw_sheet
    if words:
        code = cv2.imencode('.png', draw_sheet(words))[1]
        write_atomic(path, code.tobytes())
    return {'sheet': str(path) if words else None, 'on_sheet': len(words)}


def _summary(result: Dict[str, Any]) -> str:
    """What was done, in words."""
    rate = result['pictures'] / max(result['seconds'], 1e-3)
    told = (f'pictures: {result["pictures"]:,}, words: {result["words"]:,}, '
            f'unreadable: {result["unreadable"]:,}; '
            f'{result["seconds"]:.1f} s, {rate:,.0f} pictures/s')
    for key in ('output', 'sheet'):
        if result.get(key):
            told += f'\n{key}: {result[key]}'
    if 0 < result.get('on_sheet', 0) < result['words'] + result['unreadable']:
        told += f' (the first {result["on_sheet"]:,})'
    return told
