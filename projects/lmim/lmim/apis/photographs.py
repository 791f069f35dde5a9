"""Words in whole photographs, found by one of MMOCR's detectors."""
from dataclasses import replace
from pathlib import Path
from typing import Any, Iterable, Iterator, List, Optional, Sequence, Union

import numpy as np
from mmengine.config import Config
from mmocr.apis.inferencers import TextDetInferencer

from lmim.datasets.cropping import crop_rectified, read_polygon
from lmim.datasets.pictures import Inputs, Picture, Pictures
from lmim.datasets.records import UnreadableRecordError
from lmim.datasets.scenes import Scene, load_scene
from lmim.utils.errors import UserError

from .recognition import Recognition, unreadable
from .recognizer import TextRecognizer


class PhotographReader:
    """Finds words, cuts them out upright, and reads them.

    Args:
        recognizer (TextRecognizer): Reads the words.
        detector (str, Path or Config): The config of a text detector of
            MMOCR, or its name there. It is run as any config.
        weights (str or Path, optional): Its checkpoint, one that is trusted:
            MMEngine loads it. Defaults to that of MMOCR's for the name,
            which is downloaded.
        min_score (float): Words that the detector is less sure of are left
            out. Defaults to 0.3.

    Raises:
        FileNotFoundError: If config or weights do not exist.
        UserError: If there is a config and no weights, or MMOCR has no
            detector of that name.
    """

    def __init__(self,
                 recognizer: TextRecognizer,
                 detector: Union[str, Path, Config],
                 weights: Optional[Union[str, Path]] = None,
                 min_score: float = 0.3) -> None:
        _check_detector(detector, weights)
        self.recognizer = recognizer
        self.min_score = min_score
        try:
            self.detector = TextDetInferencer(
                detector if isinstance(detector, Config) else str(detector),
                None if weights is None else str(weights),
                str(recognizer.device))
        except KeyError as error:  # of a registry, which says what is missing
            raise UserError(f'{detector}: {error}') from error

    def __call__(self, inputs: Inputs) -> List[Recognition]:
        """Read all words of photographs, given as to :class:`TextRecognizer`.

        Returns:
            List[Recognition]: The words of each photograph in reading order:
            line by line, from the left. Each has a ``polygon``, and its
            ``source`` is the photograph's. An unreadable photograph gives
            one with an ``error``; one without words gives none.
        """
        return list(self.read(Pictures(
            inputs, alpha_color=self.recognizer.alpha_color)))

    def read(self, pictures: Iterable[Picture]) -> Iterator[Recognition]:
        """Read photographs one by one; as :meth:`__call__`."""
        for picture in pictures:
            try:
                image = picture.load()
            except UnreadableRecordError as error:
                yield unreadable(picture.source, error)
                continue
            yield from read_polygons(self.recognizer, image, self.find(image),
                                     picture.source)

    def find(self, image: np.ndarray) -> List[np.ndarray]:
        """Find words in a photograph, (H, W, 3), uint8, BGR.

        Returns:
            List[np.ndarray]: Polygons of shape (N, 2), x and y in pixels.
        """
        found: Any = self.detector(
            image, return_datasamples=True, progress_bar=False,
            out_dir='')['predictions'][0].pred_instances
        return [np.asarray(polygon, np.float64).reshape(-1, 2)
                for polygon, score in zip(found.polygons,
                                          found.scores.tolist())
                if score >= self.min_score]


def read_polygons(recognizer: TextRecognizer,
                  image: np.ndarray,
                  polygons: Sequence[np.ndarray],
                  source: str = 'photograph') -> List[Recognition]:
    """Read words whose places in a photograph are known.

    Args:
        recognizer (TextRecognizer): Reads them.
        image (np.ndarray): (H, W, 3), uint8, BGR.
        polygons (Sequence[np.ndarray]): Each (N, 2), x and y in pixels.
        source (str): What the photograph is called.

    Returns:
        List[Recognition]: The words in reading order, each with its
        ``polygon``, from the corner on that is next to the top left, and with
        its own upright ``image``. Places outside the photograph have an
        ``error``.
    """
    turned = []
    for number in reading_order(polygons):
        polygon = polygons[number]
        far = np.linalg.norm(polygon - polygon.min(axis=0), axis=1)
        turned.append(np.roll(polygon, -int(far.argmin()), axis=0))
    cut = [crop_rectified(image, polygon) for polygon in turned]
    read = iter(recognizer([word for word in cut if word is not None]))
    words = [unreadable(source, 'its polygon lies outside the picture')
             if word is None else next(read) for word in cut]
    return [replace(word, source=source, polygon=polygon.ravel().tolist())
            for word, polygon in zip(words, turned)]


def read_annotated(recognizer: TextRecognizer,
                   scenes: Iterable[Scene]) -> Iterator[Recognition]:
    """Read the words of photographs with the places of their words.

    Yields:
        Recognition: As :func:`read_polygons`. An unreadable photograph, or a
        place that is no polygon, gives one with an ``error``.
    """
    for scene in scenes:
        source = str(scene.path)
        polygons, problems = [], []
        try:
            image, turn = load_scene(scene, recognizer.alpha_color)
        except UserError as error:
            yield unreadable(source, error)
            continue
        for instance in scene.instances:
            try:
                polygons.append(read_polygon(instance, turn))
            except UserError as error:
                problems.append(unreadable(source, error))
        yield from read_polygons(recognizer, image, polygons, source)
        yield from problems


def reading_order(polygons: Sequence[np.ndarray]) -> List[int]:
    """Numbers of polygons, each (N, 2), as words are read: line by line.

    A word is of a line if the middle of its height lies within the first word
    of that line; lines go from the top, and each from the left.
    """
    middles = [polygon.mean(axis=0) for polygon in polygons]
    lines: List[List[int]] = []
    for number in sorted(range(len(polygons)), key=lambda n: middles[n][1]):
        first = polygons[lines[-1][0]] if lines else None
        if first is not None and middles[number][1] <= first[:, 1].max():
            lines[-1].append(number)
        else:
            lines.append([number])
    return [number for members in lines
            for number in sorted(members, key=lambda n: middles[n][0])]


def _check_detector(detector: Union[str, Path, Config],
                    weights: Optional[Union[str, Path]]) -> None:
    """Refuse what MMOCR would read with random weights, or not find."""
    named = (not isinstance(detector, Config)
             and Path(detector).suffix not in ('.py', '.json', '.yaml'))
    if not named and weights is None:
        raise UserError('a detector from a config needs its checkpoint: '
                         '--det-weights PTH')
    for path in (None if named else detector, weights):
        if (isinstance(path, (str, Path)) and '://' not in str(path)
                and not Path(path).is_file()):
            raise FileNotFoundError(
                f'{path} does not exist: a detector is given by its config '
                "and its checkpoint, or by one of MMOCR's names, such as "
                'dbnet_resnet18_fpnc_1200e_icdar2015')
