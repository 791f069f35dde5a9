"""Read words with an exported recognizer, without torch.

`lmim export` puts a copy of this file, with what it takes of lmim.utils, as
`read.py` into each folder that it writes, which needs NumPy, OpenCV and
onnxruntime only. It prints path, text and score of each picture with tabs
between:

    python FOLDER/read.py word.png another.jpg

    from read import OnnxTextReader
    for text, score, char_scores in OnnxTextReader('FOLDER')([image]):
        print(text, score)
"""
import argparse
import json
import math
import sys
from pathlib import Path
from typing import (Any, Dict, Iterator, List, NamedTuple, Optional, Sequence,
                    Tuple, Union)

import cv2
import numpy as np

from lmim.utils.ctc_language import CharacterNGrams, LanguageSearch
from lmim.utils.pixels import as_bgr, decode_pixels

MANIFEST = 'manifest.json'
#: The manifest's ``format_version`` up to which this file reads.
FORMAT_VERSION = 2
INTERPOLATIONS = dict(
    nearest=cv2.INTER_NEAREST, bilinear=cv2.INTER_LINEAR,
    bicubic=cv2.INTER_CUBIC, area=cv2.INTER_AREA, lanczos=cv2.INTER_LANCZOS4)


class Reading(NamedTuple):
    """A word, the probability of it as a whole, and of each character."""
    text: str
    score: float
    char_scores: List[float]


class OnnxTextReader:
    """Reads words.

    Args:
        folder (str or Path): What `lmim export` wrote.
        threads (int): Threads of onnxruntime; 0 lets it choose.
        batch_size (int): Pictures that are read at once.
        providers (Sequence[str]): Where onnxruntime runs, as it calls it.
        alpha_color (Sequence[int], optional): Red, green and blue of what
            transparent pictures are laid on; see ``lay_on_ground``.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If it holds no recognizer, or is of a newer version.
    """

    def __init__(self, folder: Union[str, Path], threads: int = 0,
                 batch_size: int = 16,
                 providers: Sequence[str] = ('CPUExecutionProvider', ),
                 alpha_color: Optional[Sequence[int]] = None) -> None:
        import onnxruntime  # what is below this class works without
        folder = Path(folder)
        if not (folder / MANIFEST).is_file():
            raise FileNotFoundError(f'{folder} is no export: no {MANIFEST}')
        about = json.loads((folder / MANIFEST).read_text(encoding='utf-8'))
        readers = dict(ctc=self._read_columns, parallel=self._read_at_once,
                       autoregressive=self._read_stepwise)
        if about['format_version'] > FORMAT_VERSION:
            raise ValueError(f'{folder} is newer: use its own read.py')
        if about['kind'] not in readers:
            raise ValueError(f'{folder} holds an {about["kind"]}, which '
                             'reads no text: export a recognizer')
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.graphs = {
            name: onnxruntime.InferenceSession(str(folder / file), options,
                                               providers=list(providers))
            for name, file in about['files'].items()
        }
        self.manifest: Dict[str, Any] = about
        self.batch_size = batch_size
        self.alpha_color = alpha_color
        self._read = readers[about['kind']]
        self._search = self._language(folder)

    def _language(self, folder: Path) -> Any:
        """The search with a language, where the recognizer has one."""
        about = dict(self.manifest.get('language') or {})
        if not about:
            return None
        language = CharacterNGrams.load(folder / about.pop('file'))
        ignored = self.manifest['ignored_indices']
        return LanguageSearch(
            language, ['' if index in ignored else char for index, char
                       in enumerate(self.manifest['classes'])],
            self.manifest['blank_index'], **about)

    def __call__(self, images: Sequence[np.ndarray]) -> List[Reading]:
        """Read pictures.

        Args:
            images (Sequence[np.ndarray]): As OpenCV reads them, of any
                number and sizes: BGR (h, w, 3), BGRA (h, w, 4) or grey
                (h, w), uint8 or uint16.

        Returns:
            List[Reading]: Text, score and scores of the characters of each.

        Raises:
            ValueError: If a picture is of another shape or type.
        """
        found: Dict[int, Reading] = {}
        for numbers, pixels in batches(images, self.manifest['image'],
                                       self.batch_size, self.alpha_color):
            found.update(zip(numbers, self._read(pixels)))
        return [found[number] for number in range(len(images))]

    def _run(self, graph: str, **inputs: np.ndarray) -> Dict[str, np.ndarray]:
        """Run a graph: its outputs by their names."""
        session = self.graphs[graph]
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, inputs)))

    def _read_at_once(self, pixels: np.ndarray) -> List[Reading]:
        """Take all characters of a word from one graph."""
        out = self._run('recognizer', pixels=pixels)
        return self._words(out['classes'], out['chances'])

    def _read_stepwise(self, pixels: np.ndarray) -> List[Reading]:
        """Write a character of each word at a time.

        Keys and values of those before it are kept, and given to the graph;
        so are the sums of what was read, where attention is refined by them.
        """
        about = self.manifest['cache']
        shape = len(pixels), about['heads'], 0, about['dims']
        past = {name: np.zeros(shape, np.float32) for name in about['names']}
        if 'sums' in about:
            maps, cells = about['maps']
            past.update({name: np.zeros((len(pixels), maps, 1, cells),
                                        np.float32)
                         for name in about['sums']})
        memory = self._run('encoder', pixels=pixels)
        last = np.full(len(pixels), self.manifest['start_index'], np.int64)
        ended = np.zeros(len(pixels), bool)
        classes, chances = [], []
        for step in range(self.manifest['max_length']):
            out = self._run('decoder', last=last, **memory, **past,
                            step=np.array([step], np.int64))
            past = {name: out[f'new_{name}'] for name in past}
            last = out['classes']
            classes.append(last)
            chances.append(out['chances'])
            ended |= last == self.manifest['end_index']
            if ended.all():
                break
        return self._words(np.stack(classes, 1), np.stack(chances, 1))

    def _words(self, classes: np.ndarray,
               chances: np.ndarray) -> List[Reading]:
        """Words of classes and their probabilities, both (N, T)."""
        found = []
        for row, likely in zip(classes.tolist(), chances.tolist()):
            text, scores, score = '', [], 1.
            for index, chance in zip(row, likely):
                score *= chance
                if index == self.manifest['end_index']:
                    break
                if index not in self.manifest['ignored_indices']:
                    text += self.manifest['classes'][index]
                    scores.append(chance)
            found.append(Reading(text, score, scores))
        return found

    def _read_columns(self, pixels: np.ndarray) -> List[Reading]:
        """A character is where CTC's class changes, unless it is ignored."""
        out = self._run('recognizer', pixels=pixels)
        classes, chances = out['classes'], out['chances']
        blank = self.manifest['blank_index']
        if self._search is not None:
            classes = np.stack(self._search.paths(out['probs']))
            chances = np.take_along_axis(
                out['probs'], classes[..., None], axis=2)[..., 0]
        before = np.pad(classes[:, :-1], ((0, 0), (1, 0)),
                        constant_values=blank)
        ignored = np.isin(classes, self.manifest['ignored_indices'])
        found = []
        for row, likely, probs, begins in zip(
                classes, chances, out['probs'],
                (classes != before) & ~ignored):
            word = row[begins].tolist()
            found.append(Reading(
                ''.join(self.manifest['classes'][index] for index in word),
                ctc_probability(probs, word, blank), likely[begins].tolist()))
        return found


def resize(image: np.ndarray, about: Dict[str, Any],
           alpha_color: Optional[Sequence[int]] = None) -> np.ndarray:
    """Bring a picture to the graphs' size: (H, W, 3), uint8, BGR."""
    image = as_bgr(image, alpha_color)
    width = about['width']
    if about.get('widths'):  # as MMOCR's RescaleToHeight
        least, most, step = about['widths']
        shape = image.shape
        width = math.ceil(float(about['height']) / shape[0] * shape[1])
        width = round(min(max(width, least), most) / step) * step
    return cv2.resize(image, (width, about['height']),
                      interpolation=INTERPOLATIONS[about['interpolation']])


def batches(images: Sequence[np.ndarray], about: Dict[str, Any], size: int,
            alpha_color: Optional[Sequence[int]] = None
            ) -> Iterator[Tuple[List[int], np.ndarray]]:
    """Batches of at most ``size`` pictures of one width, the least first.

    Yields:
        Tuple: The numbers of the pictures, and their pixels, (N, H, W, 3).
    """
    pixels = [resize(image, about, alpha_color) for image in images]
    for width in sorted({one.shape[1] for one in pixels}):
        alike = [number for number, one in enumerate(pixels)
                 if one.shape[1] == width]
        for start in range(0, len(alike), size):
            numbers = alike[start:start + size]
            yield numbers, np.stack([pixels[number] for number in numbers])


def ctc_probability(probs: np.ndarray, word: List[int], blank: int) -> float:
    """The probability of a word over all its lay-outs in the columns.

    The forward variables of Graves et al., ICML 2006, section 4.1; probs are
    those of the columns, (T, classes).
    """
    places = np.full(2 * len(word) + 1, blank)
    places[1::2] = word
    skips = np.zeros(len(places))
    skips[2:] = (places[2:] != blank) & (places[2:] != places[:-2])
    ways = np.eye(1, len(places))[0]
    for column in probs[:, places].astype(np.float64):
        earlier = np.concatenate([[0., 0.], ways])
        ways = (ways + earlier[1:-1] + skips * earlier[:-2]) * column
    return float(ways[-2:].sum())


def main() -> int:
    """Read the pictures of a command line; 1 if one could not be read."""
    parser = argparse.ArgumentParser(description='Read pictures of words.')
    parser.add_argument('images', nargs='+', metavar='IMAGE')
    paths = parser.parse_args().images
    reader = OnnxTextReader(Path(__file__).resolve().parent)
    unread = 0
    for path in paths:
        try:
            image = decode_pixels(Path(path).read_bytes())
        except (OSError, cv2.error):
            image = None
        if image is None:
            print(f'{path}: no picture that can be read', file=sys.stderr)
            unread += 1
            continue
        text, score, _ = reader([image])[0]
        print(f'{path}\t{text}\t{score:.4f}', flush=True)
    return 1 if unread else 0


if __name__ == '__main__':
    sys.exit(main())
