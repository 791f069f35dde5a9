"""`crop`: words out of scene images."""
import argparse
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

import cv2
import numpy as np

from ..cropping import crop_box, crop_rectified, read_polygon
from ..lmdb_writer import LMDBWriter
from ..whole_folder import whole_folder
from .command import Command, at_least, register
from .progress import track
from .textdet import NAMED_AT_MOST, Scene, load_scene, read_scenes

# Takes an encoded word and a name for it.
Save = Callable[[bytes, str], object]


@register
class Crop(Command):
    """Cut words out of scene images, for unlabelled pre-training.

    They are cut along their polygons or boxes, into an LMDB where OUT ends
    in .lmdb, otherwise into a folder of PNG files. ANNOTATION is MMOCR 1.x
    text detection JSON. OUT appears whole or not at all; what is left out is
    counted and named.
    """

    name = 'crop'
    summary = 'cut words out of scene images'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('annotation', type=Path, metavar='ANNOTATION')
        add('images_dir', type=Path, metavar='IMAGES_DIR',
            help='where the images lie, by the path that the annotation '
            'gives or by their name alone')
        add('out', type=Path, metavar='OUT')
        add('--rectify', action='store_true',
            help='straighten each quadrilateral by a perspective transform '
            '(default: the upright box around it, as Union14M does)')
        add('--ignored', choices=('include', 'skip'), default='include',
            help="what to do with words marked 'ignore': their text is "
            'mostly just not transcribed, which pre-training does not need '
            '(default: %(default)s)')
        add('--min-size', type=at_least(1), default=8, metavar='PIXELS',
            help='leave out crops with a shorter side (default: '
            '%(default)s)')
        add('--overwrite', action='store_true', help='replace OUT')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Crop; what is left out is in the result, each with its reason."""
        scenes = read_scenes(args.annotation, args.images_dir)
        skipped: List[Dict[str, Any]] = []
        written = 0
        with _sink(args.out, args.overwrite) as save:
            for scene in track(scenes, len(scenes), 'crop'):
                for number, word in _words(scene, args, skipped):
                    written += 1
                    name = f'{written:09d}-{scene.path.stem}-{number}'
                    data = cv2.imencode('.png', word)[1].tobytes()
                    save(data, name)
            reasons = Counter(item['reason'] for item in skipped)
            if not written:
                told = ', '.join(f'{n} x {why}' for why, n in reasons.items())
                raise ValueError(
                    f'No word of {args.annotation} could be cropped '
                    f'({told or "it has no instances"}); nothing was written')
        return {
            'out': str(args.out),
            'rectified': args.rectify,
            'images': len(scenes),
            'instances': sum(len(scene.instances) for scene in scenes),
            'written': written,
            'skipped': dict(reasons),
            'skipped_instances': skipped,
        }

    def report(self, result: Dict[str, Any]) -> str:
        """Tell what was done in words."""
        lines = [
            f'{result["written"]} of {result["instances"]} words of '
            f'{result["images"]} images are in {result["out"]}'
        ]
        for reason, count in result['skipped'].items():
            lines.append(f'left out, {reason}: {count}')
        items = result['skipped_instances']
        lines += [f'  {item["image"]}, instance {item["instance"]}: '
                  f'{item["reason"]}' for item in items[:NAMED_AT_MOST]]
        if len(items) > NAMED_AT_MOST:
            lines.append(f'  and {len(items) - NAMED_AT_MOST} more '
                         '(--json names all)')
        return '\n'.join(lines)


def _words(scene: Scene, args: argparse.Namespace,
           skipped: List[Dict[str, Any]]
           ) -> Iterator[Tuple[int, np.ndarray]]:
    """Crops of one image, with their numbers in it.

    What is left out is added to ``skipped`` with its reason.
    """
    try:
        image = load_scene(scene)
    except (OSError, ValueError) as error:
        skipped += [_skip(scene, number, str(error))
                    for number in range(len(scene.instances))]
        return
    for number, instance in enumerate(scene.instances):
        try:
            word = _word(image, instance, args)
        except ValueError as error:
            skipped.append(_skip(scene, number, str(error)))
        else:
            yield number, word


def _word(image: np.ndarray, instance: Dict[str, Any],
          args: argparse.Namespace) -> np.ndarray:
    """One crop; a ValueError says why there is none."""
    if not isinstance(instance, dict):
        raise ValueError('malformed instance')
    if args.ignored == 'skip' and instance.get('ignore'):
        raise ValueError("marked 'ignore'")
    cut = crop_rectified if args.rectify else crop_box
    word = cut(image, read_polygon(instance))
    if word is None:
        raise ValueError('no part of it lies in the image')
    if min(word.shape[:2]) < args.min_size:
        raise ValueError(f'a side is below {args.min_size} pixels')
    return word


def _skip(scene: Scene, number: int, reason: str) -> Dict[str, Any]:
    return {
        'image': str(scene.path),
        'instance': number,
        'reason': reason
    }


@contextmanager
def _sink(out: Path, overwrite: bool) -> Iterator[Save]:
    """Where words go: an LMDB or a folder of PNG files."""
    if out.suffix == '.lmdb':
        with LMDBWriter(out, overwrite) as writer:
            yield lambda data, name: writer.add(data)
    else:
        with whole_folder(out, overwrite) as draft:
            yield lambda data, name: (draft / f'{name}.png').write_bytes(
                data)
