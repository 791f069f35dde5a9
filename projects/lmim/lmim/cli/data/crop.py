"""`crop`: words out of scene images."""
import argparse
import re
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional

import cv2
import numpy as np

from lmim.cli import Command, track
from lmim.datasets.cropping import (Turn, crop_box, crop_rectified,
                                    read_polygon)
from lmim.datasets.scenes import (Scene, is_ignored, label_of, load_scene,
                                  read_scenes)
from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.utils.atomic import whole_folder
from lmim.utils.errors import UserError
from .inputs import Reasons, reason_lines

#: Crops with a shorter side, in pixels, are left out.
MIN_SIZE = 8
# Takes an encoded word, a name for it, and its label.
Save = Callable[[bytes, str, Optional[str]], object]


class Crop(Command):
    """Cut words out of scene images.

    They are cut along their polygons or boxes, into an LMDB where OUT ends
    in .lmdb, otherwise into a folder of PNG files. ANNOTATION is MMOCR 1.x
    JSON (text detection or spotting), as MMOCR's prepare_dataset.py makes it
    of ICDAR's and other formats. Transcriptions become the labels; in a
    folder, labels.tsv lists them (path<TAB>label). OUT appears whole or not
    at all; what is left out is counted and named.

    Words marked 'ignore' or '###' were mostly just not transcribed, which
    pre-training does not need: they are left out only where other words are
    transcribed.
    """

    name = 'crop'
    summary = 'cut words out of scene images'
    example = 'crop ic15/textdet_train.json ic15 ic15-words.lmdb --rectify'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('annotation', type=Path, metavar='ANNOTATION',
            help="MMOCR's JSON of text detection or spotting")
        add('images_dir', type=Path, metavar='IMAGES_DIR',
            help='where the images lie, by the path that the annotation '
            'gives or by their name alone')
        add('out', type=Path, metavar='OUT')
        add('--rectify', action='store_true',
            help='straighten each quadrilateral by a perspective transform '
            '(default: the upright box around it, as Union14M does)')
        add('--overwrite', action='store_true', help='replace OUT')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Crop; what is left out is in the result, with reasons."""
        scenes = read_scenes(args.annotation, args.images_dir)
        labelled = any(label_of(instance) is not None for scene in scenes
                       for instance in scene.instances)
        skipped = Reasons()
        written = labels = 0
        with _sink(args.out, args.overwrite) as save:
            for scene in track(scenes, len(scenes), 'crop'):
                for number, word in _words(scene, args.rectify, labelled,
                                           skipped):
                    written += 1
                    label = label_of(scene.instances[number])
                    labels += label is not None
                    save(cv2.imencode('.png', word)[1].tobytes(),
                         f'{written:09d}-{scene.path.stem}-{number}', label)
            if not written:
                why = '; '.join(f'{count} x {reason}' for reason, count
                                in skipped.counts.items())
                raise UserError(
                    f'No word of {args.annotation} could be cropped '
                    f'({why or "it has no instances"}); nothing was written')
        return {
            'out': str(args.out),
            'rectified': args.rectify,
            'images': len(scenes),
            'instances': sum(len(scene.instances) for scene in scenes),
            'written': written,
            'labelled': labels,
            'skipped': skipped.result(),
        }

    def report(self, result: Dict[str, Any]) -> str:
        """Report in words."""
        return '\n'.join([
            f'{result["written"]} of {result["instances"]} words of '
            f'{result["images"]} images are in {result["out"]}, '
            f'{result["labelled"]} of them with a label',
            *reason_lines(result['skipped'], 'left out')
        ])


def _words(scene: Scene, rectify: bool, labelled: bool, skipped: Reasons
           ) -> Iterator['tuple[int, np.ndarray]']:
    """Crops of one image, with their numbers in it."""
    image, turn, problem = None, None, ''
    try:
        image, turn = load_scene(scene)
    except UserError as error:
        problem = str(error)
    for number, instance in enumerate(scene.instances):
        try:
            if image is None:
                raise UserError(problem)
            yield number, _word(image, instance, turn, rectify, labelled)
        except ValueError as error:
            skipped.add(f'{scene.path}, instance {number}', str(error),
                        str(error).partition(':')[0])


def _word(image: np.ndarray, instance: Dict[str, Any], turn: Optional[Turn],
          rectify: bool, labelled: bool) -> np.ndarray:
    """One crop; a ValueError says why there is none."""
    if not isinstance(instance, dict):
        raise UserError('malformed instance')
    if labelled and label_of(instance) is None:
        raise UserError("marked 'ignore'" if is_ignored(instance) else
                        'no transcription, as others have')
    if re.search('[\r\n]', label_of(instance) or ''):
        raise UserError('its transcription has several lines')
    cut = crop_rectified if rectify else crop_box
    word = cut(image, read_polygon(instance, turn))
    if word is None:
        raise UserError('no part of it lies in the image')
    if min(word.shape[:2]) < MIN_SIZE:
        raise UserError(f'a side is below {MIN_SIZE} pixels')
    return word


@contextmanager
def _sink(out: Path, overwrite: bool) -> Iterator[Save]:
    """Where words go: an LMDB, or a folder of PNG files with a list."""
    if out.suffix == '.lmdb':
        with LMDBWriter(out, overwrite) as writer:
            yield lambda data, name, label: writer.add(data, label)
        return
    lines: List[str] = []
    with whole_folder(out, overwrite) as draft:

        def save(data: bytes, name: str, label: Optional[str]) -> None:
            (draft / f'{name}.png').write_bytes(data)
            if label is not None:
                lines.append(f'{name}.png\t{label}\n')

        yield save
        if lines:
            (draft / 'labels.tsv').write_bytes(''.join(lines).encode('utf-8'))
