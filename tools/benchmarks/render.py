"""`render`: how fast words are drawn."""
import argparse
from typing import Any, Callable, Dict

import cv2
import numpy as np
from PIL import Image, ImageDraw

from lmim.rendering import STYLES, RenderedWords, make_sets
from lmim.rendering.fonts import load_face
from lmim.cli.command import Command, at_least

from .timing import rate

SIZE = (128, 32)


class RenderBenchmark(Command):
    """Draw words and resize them to 32x128, in one process and one thread.

    Rows: each style; the default one with boxes of the characters as well;
    and for comparison the least that Pillow can do, black words on white in
    the same fonts and sizes, level, sharp and clean.
    """

    name = 'render'
    summary = 'words drawn per second and core'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            '--samples', type=at_least(1), default=500, metavar='N',
            help='words of a round (default: %(default)s)')
        parser.add_argument(
            '--rounds', type=at_least(1), default=5,
            help='(default: %(default)s)')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Measure each row."""
        rows: Dict[str, _Drawing] = {
            style: _Drawing(style, args.samples, _picture)
            for style in sorted(STYLES, reverse=True)
        }
        rows['varied, boxes'] = _Drawing('varied', args.samples, _with_boxes)
        rows['plain Pillow'] = _Drawing('print', args.samples, _plain)
        threads = cv2.getNumThreads()
        cv2.setNumThreads(0)
        try:
            return {
                'unit': 'images/s',
                'samples': args.samples,
                'rows': {name: rate(drawing, args.rounds)
                         for name, drawing in rows.items()}
            }
        finally:
            cv2.setNumThreads(threads)

    def report(self, result: Dict[str, Any]) -> str:
        """Tell the medians, and the slowest and fastest round."""
        return '\n'.join(
            f'{name:14} {rates["median"]:7.0f} images/s '
            f'({min(rates["rounds"]):.0f} to {max(rates["rounds"]):.0f} in '
            f'{len(rates["rounds"])} rounds of {result["samples"]})'
            for name, rates in result['rows'].items())


class _Drawing:
    """A round: other words each time, so that nothing is drawn twice."""

    def __init__(self, style: str, samples: int,
                 draw: Callable[[RenderedWords, int], np.ndarray]) -> None:
        self.words = make_sets({'train': 10**9}, style=style).parts['train']
        self.samples = samples
        self.draw = draw
        self.done = 0

    def __call__(self) -> int:
        for index in range(self.done, self.done + self.samples):
            cv2.resize(self.draw(self.words, index), SIZE)
        self.done += self.samples
        return self.samples


def _picture(words: RenderedWords, index: int) -> np.ndarray:
    return words[index].image


def _with_boxes(words: RenderedWords, index: int) -> np.ndarray:
    word = words[index]
    assert len(word.boxes) == len(word.text)
    return word.image


def _plain(words: RenderedWords, index: int) -> np.ndarray:
    """What a script of five lines draws."""
    rng = np.random.default_rng(index)
    text = words.words.draw(rng)
    font = words.fonts.pick(text, rng)
    assert font is not None
    face = load_face(font.path, int(rng.integers(28, 49)))
    left, top, right, bottom = face.getbbox(text)
    image = Image.new('RGB', (int(right - left) + 8, int(bottom - top) + 8),
                      'white')
    ImageDraw.Draw(image).text((4 - left, 4 - top), text, 'black', face)
    return np.asarray(image)
