"""Pictures of what was read, beside what is written."""
import re
from pathlib import Path
from typing import Any, Optional, Sequence

import cv2
import numpy as np
from mmengine.dist import get_rank, get_world_size
from mmengine.hooks.hook import DATA_BATCH
from mmengine.runner import Runner
from mmocr.engine.hooks import VisualizationHook
from mmocr.registry import HOOKS

from lmim.datasets.labels.reading import Label, innermost
from lmim.datasets.records import UnreadableRecordError
from lmim.evaluation.misread_sheet import picture_of
from lmim.visualization.sheet import (CAPTION_HEIGHT, MARGIN, draw_caption,
                                      fit_within)

#: Height of a word, and the least width of the texts below it, in pixels.
HEIGHT, WIDTH = 64, 320


@HOOKS.register_module()
class PredictionPicturesHook(VisualizationHook):
    """MMOCR's hook for words from any data set and in any script.

    MMOCR reads the picture again from the file that a word names, which words
    of an LMDB do not, and writes pictures of files with equal names over one
    another. Here a picture comes from the data set, and its file begins with
    its number: ``000001_word_0.png``. Label and reading are written below it,
    each character in a font of the machine that has it.

    The arguments are those of MMOCR's ``VisualizationHook``; ``interval``
    counts batches of a validation, of which the first is drawn.
    """

    _done = 0

    def _before_epoch(self, runner: Runner, mode: str = 'train') -> None:
        """Begin with the first word."""
        if mode != 'train':
            self._done = 0

    def after_val_iter(self, runner: Runner, batch_idx: int,
                       data_batch: DATA_BATCH = None,
                       outputs: Optional[Sequence[Any]] = None) -> None:
        """Draw the words of each ``interval``-th batch."""
        drawn = self.enable and not batch_idx % self.interval
        self._draw(runner.val_dataloader, outputs or [], drawn, runner.iter)

    def after_test_iter(self, runner: Runner, batch_idx: int,
                        data_batch: DATA_BATCH = None,
                        outputs: Optional[Sequence[Any]] = None) -> None:
        """Draw the words of a batch."""
        self._draw(runner.test_dataloader, outputs or [], self.enable, 0)

    def _draw(self, dataloader: Any, outputs: Sequence[Any], drawn: bool,
              step: int) -> None:
        """Draw words, which come in the order of the data set."""
        first, self._done = self._done, self._done + len(outputs)
        if not drawn:
            return
        datasets = innermost(dataloader.dataset)
        for at, word in enumerate(outputs, first):
            # Each process has every so-manieth word.
            number = at * get_world_size() + get_rank()
            place = number
            for dataset in datasets:
                if place < len(dataset):
                    break
                place -= len(dataset)
            else:
                continue  # the last batch is filled up with the first words
            picture = self._picture(dataset, place, word)[..., ::-1]
            name = re.sub(r'\.\w{1,5}$', '', Path(
                Label(dataset, place, None).picture).name)
            name = f'{number + 1:06d}_{re.sub(r"[^-.()+=,~]", _plain, name)}'
            if self.show:
                self._visualizer.show(picture, win_name=name,
                                      wait_time=self.wait_time)
            else:
                self._visualizer.add_image(name, picture, step)

    def _picture(self, dataset: Any, number: int, word: Any) -> np.ndarray:
        """A word above its label and what was read, (H, W, 3), BGR."""
        try:
            image = picture_of(dataset, number)
        except UnreadableRecordError:
            image = np.full((HEIGHT, HEIGHT, 3), 255, np.uint8)
        if image.ndim == 2:
            image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
        image = fit_within(image, (HEIGHT, 8 * WIDTH))
        lines = [(name, word.get(key).get('item')) for name, key, wanted in (
            ('label', 'gt_text', self.draw_gt),
            ('read', 'pred_text', self.draw_pred))
                 if wanted and key in word and 'item' in word.get(key)]
        height, width = image.shape[:2]
        sheet = np.full((height + CAPTION_HEIGHT * len(lines) + 3 * MARGIN,
                         max(width, WIDTH) + 2 * MARGIN, 3), 255, np.uint8)
        sheet[MARGIN:MARGIN + height, MARGIN:MARGIN + width] = image
        for line, (name, text) in enumerate(lines, 1):
            draw_caption(sheet, f'{name}: {text}', (
                MARGIN, MARGIN + height + CAPTION_HEIGHT * line - 4),
                sheet.shape[1] - 2 * MARGIN)
        return sheet


def _plain(match: Any) -> str:
    """A character of a file's name as it is, or what stands for it."""
    char = match.group()
    return char if char.isalnum() else '_'
