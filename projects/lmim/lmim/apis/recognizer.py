"""Pictures in, words out."""
import math
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import (Any, ContextManager, Dict, Iterable, Iterator, List,
                    Optional, Sequence, Tuple, Union)

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.device import get_device

from lmim.datasets.pictures import Inputs, Picture, Pictures, is_single
from lmim.datasets.records import UnreadableRecordError
from lmim.engine.precision import choose_precision, warn_if_slower
from lmim.models.textrecog import (InContextRecognizer, PromptPool,
                                   numbers_by_size)
from lmim.models.textrecog.in_context import packed
from lmim.utils.errors import UserError
from lmim.visualization import character_attention

from .char_boxes import boxes_of_attention, boxes_of_columns, in_pixels
from .loading import dictionary_of, load_recognizer, reader_path
from .preprocessing import Preprocessing
from .recognition import Recognition, unreadable

Prepared = Dict[str, Any]
#: How a picture is held to be read.
ORIENTATIONS = ('upright', 'auto')
#: Where a language is heeded, of turned readings: its weight, as a part of
#: that for letters, and by what factor the upright one is surer. Of the
#: reader's held-out words 76.5 % are read then, 73.9 % upside down (read as
#: they are: 77.0 %); by the probabilities of the pictures alone 74.2 %.
HEEDED, UPRIGHT = 0.5, 1.1
#: Batches of pictures that are sorted by width at once.
WINDOW = 16


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
        orientation (str): One of :data:`ORIENTATIONS`: 'upright' reads
            pictures as they are; 'auto' also turned by 180 degrees, and by 90
            either way where they are taller than wide, and keeps the reading
            of the highest ``confidence``: two or four times the work.
        char_boxes (bool): Whether to find where each character is. Decoders
            with attention read the word once more for it; CTC has it at hand.
            Others do not tell.
        language (str, optional): For CTC recognizers, whose letters make a
            word likely: 'english', a file of `lmim data language`, or
            'none'. Defaults to what the config says; the reader's says
            'english'.
        width (str, optional): How wide a picture is for the model, whose
            height is kept: 'auto', as wide as the picture's shape says,
            from the width of training to three times that; 'MIN-MAX', such
            as '64-384', the same within these bounds; or one width, '128',
            to which all are squeezed or stretched. Defaults to what the
            config says, as a rule one.
        max_length (int, optional): The most characters of a word that a
            ``TextTransformerDecoder`` writes, 1 to 200. CTC writes as many
            as a picture has columns; other decoders have a place for each
            character, and no more than they were trained for. Defaults to
            what the config says.
        alpha_color (Sequence[int], optional): Red, green and blue of what
            transparent pictures are laid on. Defaults to white, and to black
            where all that is to be seen is light.
        pool (str, Path or PromptPool, optional): Labelled pictures that an
            ``InContextRecognizer`` looks at as it reads, of `lmim pool make`
            or :meth:`correct`.

    Raises:
        FileNotFoundError: If a file does not exist.
        CheckpointError: If checkpoint and config do not make a recognizer.
        UserError: If device, batch size or precision cannot be had, or the
            pool is another recognizer's.

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
                 precision: str = 'fp32',
                 orientation: str = 'upright',
                 char_boxes: bool = False,
                 language: Optional[str] = None,
                 alpha_color: Optional[Sequence[int]] = None,
                 width: Optional[str] = None,
                 max_length: Optional[int] = None,
                 pool: Optional[Union[str, Path, PromptPool]] = None
                 ) -> None:
        if batch_size < 1:
            raise UserError(f'batch_size is 1 or more, not {batch_size}')
        if orientation not in ORIENTATIONS:
            raise UserError(f'orientation is one of {ORIENTATIONS}, not '
                            f'{orientation!r}')
        self.orientation = orientation
        self.char_boxes = char_boxes
        self.alpha_color = alpha_color
        self.batch_size = batch_size
        self.device = _usable_device(device)
        self.precision = choose_precision(precision, str(self.device))
        warn_if_slower(self.precision)
        self.model: Any
        self.checkpoint = Path(checkpoint or reader_path())
        self.model, self.cfg = load_recognizer(self.checkpoint, config,
                                               str(self.device), language,
                                               width, max_length)
        self.characters = dictionary_of(self.model)
        told = (f'the config in {self.checkpoint}'
                if config is None else 'the config')
        self._preprocess = Preprocessing(
            self.cfg, told, trusted=config is not None)
        #: Batches that are taken at a time: of several widths, enough that
        #: those of one make a batch.
        self._batches = WINDOW if self._preprocess.any_width else 1
        if pool is not None:
            self.use_pool(pool)

    def use_pool(self, pool: Union[str, Path, PromptPool],
                 rebuild: bool = False) -> None:
        """Read with labelled pictures; see ``pool`` of this class.

        Args:
            pool (str, Path or PromptPool): The pool.
            rebuild (bool): Whether one of other weights is made anew.
        """
        if not isinstance(pool, PromptPool):
            pool = PromptPool.load(pool)
        with torch.no_grad(), self._autocast():
            self.in_context().use_pool(pool, rebuild)

    def add_prompts(self, pictures: Inputs, texts: Sequence[str]) -> None:
        """Put labelled pictures into the pool, in memory; a new one if none.

        Args:
            pictures (str, Path, bytes, np.ndarray ...): As of
                :meth:`__call__`, upright.
            texts (Sequence[str]): What each says.

        Raises:
            UserError: If the recognizer cannot read with a pool, or a text is
                none that it knows; nothing is added then.
            UnreadableRecordError: If a picture cannot be read.
        """
        model = self.in_context()
        read = Pictures(pictures, alpha_color=self.alpha_color)
        if len(read) != len(texts):
            raise UserError(f'{len(read)} pictures have {len(texts)} texts')
        inputs = self.prepare([picture.load() for picture in read])['inputs']
        with torch.no_grad(), self._autocast():
            prompts = model.make_prompts(list(map(packed, inputs)), texts)
        if model.pool is None:
            model.pool = PromptPool(model.fingerprint())
        model.pool.add(prompts)

    def correct(self, picture: Inputs, text: str) -> None:
        """Say what a picture reads, from the next picture on.

        It goes into the pool, and into its file if it has one. Pictures like
        it are then read with it before the recognizer's eyes.

        Args:
            picture (str, Path, bytes, np.ndarray ...): One picture.
            text (str): What it says.

        Raises:
            UserError, UnreadableRecordError: As :meth:`add_prompts`.
        """
        self.add_prompts(picture, [text])
        pool = self.model.pool
        if pool.path is not None:
            pool.save()

    def in_context(self) -> InContextRecognizer:
        """The model, if it reads with a pool, or a UserError."""
        if isinstance(self.model, InContextRecognizer):
            return self.model
        raise UserError(
            f'{self.checkpoint} is of a {type(self.model).__name__}, which '
            'cannot read with a pool of labelled pictures or be corrected: '
            'take a checkpoint of configs/textrecog/in_context, or train '
            'this one on with your pictures: `lmim finetune`')

    def __call__(self, inputs: Inputs) -> List[Recognition]:
        """Read all pictures.

        Args:
            inputs (str, Path, bytes, file, np.ndarray, Image or Iterable):
                A path of an image, a folder, an LMDB or a list; a pattern
                such as ``words/*.png``; the bytes of an image file, or such a
                file, open; an array (BGR); a picture of Pillow; or several of
                these. See :class:`~.pictures.Pictures`.

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
        taken at a time (16 where pictures become several widths: those of
        one are read together).

        Yields:
            Recognition: One for each picture, in their order.
        """
        if isinstance(inputs, Iterator) and not is_single(inputs):
            yield from self.read(
                picture for number, one in enumerate(inputs, 1)
                for picture in Pictures([one], number, self.alpha_color))
        else:
            yield from self.read(
                Pictures(inputs, alpha_color=self.alpha_color))

    def read(self, pictures: Iterable[Picture]) -> Iterator[Recognition]:
        """Read pictures, such as :class:`Pictures`; as :meth:`stream`."""
        pictures = iter(pictures)
        count = self.batch_size * self._batches
        for batch in iter(lambda: list(islice(pictures, count)), []):
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
        copies: List[_Copy] = []
        found: List[Optional[Recognition]] = [None] * len(batch)
        for number, picture in enumerate(batch):
            try:
                copies += self._copies(number, picture.load())
            except UnreadableRecordError as error:
                found[number] = unreadable(picture.source, error)
        for group in self._groups(copies):
            samples = self._predict(
                pseudo_collate([copy.prepared for copy in group]))
            for copy, sample in zip(group, samples):
                copy.word = _recognition(batch[copy.number], sample.pred_text)
                copy.prepared['data_samples'] = sample
        kept: Dict[int, _Copy] = {}
        for copy in copies:  # the upright one is the first of its picture
            best = kept.setdefault(copy.number, copy)
            if self._sureness(copy) > self._sureness(best):
                kept[copy.number] = copy
        if self.char_boxes:
            for group in self._groups(list(kept.values())):
                self._add_boxes(group)
        for number, copy in kept.items():
            if self.orientation == 'auto':
                copy.word.rotation = 90 * copy.turns
            found[number] = copy.word
        yield from filter(None, found)

    def _sureness(self, copy: '_Copy') -> float:
        """How likely a reading is, by the language too where one is heeded.

        Upside down, `MISSION` reads `NOISSIW` as surely.
        """
        processor = getattr(
            getattr(self.model, 'decoder', None), 'postprocessor', None)
        search = getattr(processor, 'search', None)
        word = copy.word
        if search is None or not word.text:
            return word.confidence
        told = search.language.log_probability(word.text)
        told *= HEEDED * search.weight / (len(word.text) + 1)
        told += 0. if copy.turns else math.log(UPRIGHT)
        return word.confidence * math.exp(told)

    def _copies(self, number: int, image: np.ndarray) -> List['_Copy']:
        """A picture as it is, and turned where that is asked for."""
        turns = [0]
        if self.orientation == 'auto':
            turns = [0, 2, 1, 3] if len(image) > image.shape[1] else [0, 2]
        return [_Copy(number, image.shape[:2], count, self._preprocess(
            np.ascontiguousarray(np.rot90(image, count)))) for count in turns]

    def _groups(self, copies: Sequence['_Copy']) -> Iterator[List['_Copy']]:
        """Those that make a batch: of one size, and not too many."""
        for alike in numbers_by_size([copy.prepared['inputs']
                                      for copy in copies]):
            for start in range(0, len(alike), self.batch_size):
                yield [copies[number] for number
                       in alike[start:start + self.batch_size]]

    @torch.no_grad()
    def _predict(self, data: Prepared) -> Sequence[Any]:
        """The samples of a batch, with what was read."""
        with self._autocast():
            return self.model.test_step(data)

    @torch.no_grad()
    def _add_boxes(self, group: Sequence['_Copy']) -> None:
        """Find where the characters of words are that were read."""
        data = pseudo_collate([copy.prepared for copy in group])
        samples = data['data_samples']
        if not self._preprocess.keeps_places:
            return
        shares: Sequence[np.ndarray]
        if all('centers' in sample.pred_text for sample in samples):
            shares = [boxes_of_columns(sample.pred_text.centers)
                      for sample in samples]
        else:
            inputs = self.model.data_preprocessor(data, False)['inputs']
            try:
                with self._autocast():
                    maps = character_attention(self.model, inputs, samples)
            except UserError:  # its decoder does not tell
                return
            shares = [boxes_of_attention(each) for each in maps]
        for copy, sample, boxes in zip(group, samples, shares):
            # MMOCR writes what is not in the dictionary as a token: <UKN>.
            if len(boxes) == len(copy.word.text) == len(
                    copy.word.char_scores):
                copy.word.char_boxes = in_pixels(
                    boxes, float(sample.get('valid_ratio') or 1), copy.turns,
                    copy.size)

    def _autocast(self) -> ContextManager[Any]:
        """The precision that is computed in."""
        dtype = self.precision.dtype
        return (torch.autocast(self.device.type, dtype)
                if dtype else nullcontext())


@dataclass
class _Copy:
    """A picture of a batch, turned, as the model takes it and reads it."""
    number: int  # of the picture
    size: Tuple[int, int]  # height and width of the picture as given
    turns: int  # quarters, counter-clockwise
    prepared: Prepared
    word: Recognition = field(init=False)


def _usable_device(name: Optional[str]) -> torch.device:
    """The device of a name, or a GPU where there is one, else the CPU."""
    try:
        device = torch.device(name or get_device())
        torch.empty(1, device=device)
    # Each kind of device has errors of its own.
    except Exception as error:
        reason = str(error).strip().split('\n')[0]
        raise UserError(
            f'device {name} cannot be used ({reason}). '
            "'cpu' is always there") from error
    return device


def _recognition(picture: Picture, read: Any) -> Recognition:
    """What a model's ``pred_text`` says."""
    scores = [float(score) for score in read.score]
    score = read.get('word_score')
    if score is None:  # MMOCR's own models; of no character nothing is sure
        score = math.prod(scores) if scores else 0.
    if not all(map(math.isfinite, [float(score), *scores])):
        return unreadable(picture.source, 'the model gives no number for it: '
                          'its weights overflow, as those of a run that had '
                          'diverged; take an earlier checkpoint')
    return Recognition(
        read.item, float(score), scores, picture.source, load=picture.load)
