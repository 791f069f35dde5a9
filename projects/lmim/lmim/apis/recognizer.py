"""Pictures in, words out."""
import math
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import (Any, Dict, Iterable, Iterator, List, Optional, Sequence,
                    Tuple, Union)

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.device import get_device

from lmim.datasets.pictures import Inputs, Picture, Pictures
from lmim.datasets.records import UnreadableRecordError
from lmim.engine.precision import choose_precision, warn_if_slower
from lmim.utils.errors import UserError

from .loading import dictionary_of, load_recognizer, reader_path
from .preprocessing import Preprocessing
from .recognition import Recognition, unreadable

Prepared = Dict[str, Any]


class TextRecognizer:
    """Reads words.

    Batches give the texts and scores that pictures have when they are read
    one by one (to rounding): those that are prepared to another size are
    never padded to that of their neighbours.

    Args:
        checkpoint (str or Path, optional): Of a recognizer. One of this
            project's carries its config and dictionary, and is the only file
            needed; nothing in it is executed. Defaults to the reader that
            comes with the package, :func:`lmim.apis.loading.reader_path`.
        config (str, Path or Config, optional): The config instead of that in
            the checkpoint.
        device (str, optional): Such as 'cuda:0' or 'cpu'. Defaults to a GPU
            where there is one.
        batch_size (int): Pictures that are read at once. Defaults to 64.
        precision (str): One of :data:`lmim.engine.precision.PRECISIONS`:
            'fp32'; 'bf16', quicker where the machine computes in it, with
            scores that may differ by some hundredths, and texts where it was
            unsure; 'fp16', for GPUs without bf16; 'auto', the fastest here.
            One that is slower than fp32 here is warned of.

    Raises:
        FileNotFoundError: If a file does not exist.
        CheckpointError: If checkpoint and config do not make a recognizer.
        UserError: If device, batch size or precision cannot be had.

    Attributes:
        checkpoint (Path): Where its weights are from.
        model (nn.Module): The recognizer, in eval mode.
        cfg (Config): Its config.
        device (torch.device): Where it is.
        precision (Precision): What it computes in, and why.
        characters (List[str]): What it can read, in the order of classes.

    Examples:
        >>> from lmim import TextRecognizer
        >>> recognizer = TextRecognizer()  # or of 'epoch_10.pth'
        >>> for word in recognizer('words/*.png'):
        ...     print(word.source, word.text, word.score)
    """

    def __init__(self,
                 checkpoint: Optional[Union[str, Path]] = None,
                 config: Optional[Union[str, Path, Config]] = None,
                 device: Optional[str] = None,
                 batch_size: int = 64,
                 precision: str = 'fp32') -> None:
        if batch_size < 1:
            raise UserError(f'batch_size is 1 or more, not {batch_size}')
        self.batch_size = batch_size
        self.device = _usable_device(device)
        self.precision = choose_precision(precision, str(self.device))
        warn_if_slower(self.precision)
        self.model: Any
        self.checkpoint = Path(checkpoint or reader_path())
        self.model, self.cfg = load_recognizer(self.checkpoint, config,
                                               str(self.device))
        self.characters = dictionary_of(self.model)
        told = (f'the config in {self.checkpoint}'
                if config is None else 'the config')
        self._preprocess = Preprocessing(
            self.cfg, told, trusted=config is not None)

    def __call__(self, inputs: Inputs) -> List[Recognition]:
        """Read all pictures.

        Args:
            inputs (str, Path, np.ndarray, Image, RecordSource or Iterable):
                A path of an image, a folder, an LMDB or a list; a pattern
                such as ``words/*.png``; an array (BGR); a picture of Pillow;
                or several of these. See :class:`~.pictures.Pictures`.

        Returns:
            List[Recognition]: One for each picture, in their order. What is
            unreadable has an ``error``, and the others are read.

        Raises:
            FileNotFoundError: If a path does not exist, before any is read.
            TypeError, UserError, OSError: If an input is no picture and no
                set of pictures.
        """
        return list(self.stream(inputs))

    def stream(self, inputs: Inputs) -> Iterator[Recognition]:
        """Read pictures batch by batch, however many they are.

        The inputs are those of :meth:`__call__`; of an iterator one batch is
        taken at a time.

        Yields:
            Recognition: One for each picture, in their order.
        """
        if isinstance(inputs, Iterator):
            yield from self.read(picture for number, one
                                 in enumerate(inputs, 1)
                                 for picture in Pictures([one], first=number))
        else:
            yield from self.read(Pictures(inputs))

    def read(self, pictures: Iterable[Picture]) -> Iterator[Recognition]:
        """Read pictures, such as :class:`Pictures`; as :meth:`stream`."""
        pictures = iter(pictures)
        for batch in iter(lambda: list(islice(pictures, self.batch_size)),
                          []):
            yield from self._read(batch)

    def prepare(self, images: Sequence[np.ndarray]) -> Prepared:
        """Make of pictures, each (H, W, 3), uint8, BGR, the model's input.

        Returns:
            Dict[str, Any]: ``inputs`` (a tensor of shape (C, h, w) for each)
            and ``data_samples`` (one for each).

        Raises:
            UnreadableRecordError: If nothing can be made of one.
        """
        return pseudo_collate([self._preprocess(image) for image in images])

    def _read(self, batch: Sequence[Picture]) -> Iterator[Recognition]:
        """Read pictures, those of one size at once."""
        found: List[Optional[Recognition]] = [None] * len(batch)
        sizes: Dict[Tuple[int, ...], List[Tuple[int, Prepared]]] = {}
        for number, picture in enumerate(batch):
            try:
                prepared = self._preprocess(picture.load())
            except UnreadableRecordError as error:
                found[number] = unreadable(picture.source, error)
                continue
            size = tuple(prepared['inputs'].shape)
            sizes.setdefault(size, []).append((number, prepared))
        for group in sizes.values():
            samples = self._predict(
                pseudo_collate([one for _, one in group]))
            for (number, _), sample in zip(group, samples):
                found[number] = _recognition(batch[number], sample.pred_text)
        yield from filter(None, found)

    @torch.no_grad()
    def _predict(self, data: Prepared) -> Sequence[Any]:
        """The samples of a batch, with what was read."""
        dtype = self.precision.dtype
        with (torch.autocast(self.device.type, dtype)
              if dtype else nullcontext()):
            return self.model.test_step(data)


def _usable_device(name: Optional[str]) -> torch.device:
    """The device of a name, or a GPU where there is one, else the CPU."""
    try:
        device = torch.device(name or get_device())
        torch.empty(1, device=device)
    # Each kind of device has errors of its own.
    except Exception as error:
        reason = str(error).strip().split('\n')[0]
        raise UserError(
            f'device {name} cannot be used ({reason}): --device cpu'
        ) from error
    return device


def _recognition(picture: Picture, read: Any) -> Recognition:
    """What a model's ``pred_text`` says."""
    scores = [float(score) for score in read.score]
    score = read.get('word_score')
    if score is None:  # MMOCR's own models; of no character nothing is sure
        score = math.prod(scores) if scores else 0.
    return Recognition(
        read.item, float(score), scores, picture.source, load=picture.load)
