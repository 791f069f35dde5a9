"""Words that are drawn while training runs, or as a source of records."""
import os
import os.path as osp
from typing import (Any, Callable, Dict, Iterator, Mapping, Optional,
                    Sequence, Tuple, Union)

import cv2
from mmocr.registry import DATASETS

from lmim.rendering import (PlainGlyphs, RenderedSets, RenderedWord,
                            RenderedWords, make_sets, read_word_list)
from lmim.utils.errors import UserError
from .records import RecordSource, UnreadableRecordError, open_sources
from .records.folder import IMAGE_SUFFIXES
from .transforms.guidance_ops import resize
from .transforms.seed import mix
from .word_dataset import WordDataset

#: As many words as are read of a set; of larger ones evenly spread.
MOST_LABELS = 1_000_000
#: What a sample may come with.
PAIRS = (None, 'same_style', 'near_text', 'same_text')


def make_rendered_sets(sizes: Mapping[Optional[str], int],
                       **settings: Any) -> RenderedSets:
    """Make sets of rendered words, also with the words of other sets.

    Arguments are those of :func:`lmim.rendering.samples.make_sets`, but
    ``words`` is a path that :func:`read_words` reads.
    """
    return make_sets(sizes, read_words=read_words, **settings)


def read_words(path: str) -> Iterator[Tuple[str, float]]:
    """Words from a text file, or from the labels of a set of pictures.

    Args:
        path (str): A text file with one word a line, or ``word<TAB>count``;
            or any labelled set that
            :func:`~lmim.datasets.records.open_sources` reads (of more than a
            million labels as many are read, evenly spread).

    Yields:
        Words, and how often each comes.

    Raises:
        FileNotFoundError: If there is no such path.
        UserError: If it is not of such a form.
    """
    if not osp.exists(path):
        raise FileNotFoundError(
            f'The words {path} do not exist. Give a text file with one word '
            'a line, or a labelled set')
    return read_word_list(path) if _is_word_list(path) else _labels(path)


def _is_word_list(path: str) -> bool:
    """Whether a path is a text file of words and not of pictures."""
    if osp.isdir(path) or path.lower().endswith(('.json', '.jsonl')):
        return False
    with open(path, 'rb') as file:
        head = file.read(2**16).decode(errors='replace').lower()
    # A list of pictures has `path<TAB>label` or `path label`.
    first = [line.split('\t')[0].split()[0]
             for line in head.splitlines()[:50] if line.strip()]
    pictures = [name.endswith(IMAGE_SUFFIXES) for name in first]
    return 2 * sum(pictures) <= len(pictures)


def _labels(path: str) -> Iterator[Tuple[str, float]]:
    """Labels of a set of pictures; those that cannot be read are skipped."""
    source = open_sources([path])
    found = False
    for index in range(0, len(source), max(len(source) // MOST_LABELS, 1)):
        try:
            label = source.label(index)
        except UnreadableRecordError:
            continue
        if label:
            found = True
            yield label, 1.
    if not found:
        raise UserError(
            f'{path} has no labels to take words from. Give a labelled set, '
            'or a text file with one word a line')


class RenderedRecords(RecordSource):
    """Rendered words of epoch 0 as records: JPEG files and their texts.

    Args:
        words (RenderedWords): The words.
    """

    layout = 'rendered words'
    labelled = True

    def __init__(self, words: RenderedWords) -> None:
        self.words = words
        self.path = str(words)

    def __len__(self) -> int:
        return len(self.words)

    def read(self, index: int) -> bytes:
        """A sample's picture as a JPEG file, of OpenCV's quality 95."""
        return cv2.imencode('.jpg', self.words[index].image)[1].tobytes()

    def label(self, index: int) -> Optional[str]:
        """A sample's text."""
        return self.words.text(index)

    def name(self, index: int) -> str:
        """Name of a sample by which a person finds it."""
        return f'{self.path} {index}'


@DATASETS.register_module()
class RenderedTextDataset(WordDataset):
    """Labelled word images, each drawn when it is asked for.

    Nothing lies on disk. A sample depends on the seed, the epoch of the run
    and its index alone: any number of workers, forked or spawned, and a run
    that was resumed, draw the same bytes.

    Args:
        length (int): Samples of an epoch.
        part (str, optional): 'train', 'test', or None for all. The test part
            has words and fonts that training has not. Defaults to 'train'.
        fixed (bool, optional): Whether each epoch has the same samples, or
            fresh ones. Defaults to None: only the test part has the same.
        pipeline (Sequence[dict or Callable]): Transforms. Defaults to ().
        with_text (bool): Whether to add the text as ``instances``, for
            ``LoadOCRAnnotations(with_text=True)``. Defaults to False.
        with_letters (bool or str): Whether to add where letters are, under
            keys that MMOCR's ``Resize(clip_object_border=False)`` carries
            along: ``gt_polygons``, a box of eight numbers for each character
            in reading order, and ``gt_seg_map``, their mask ((H, W), uint8).
            With ``'labels'`` that map tells them apart: 0 is background,
            i + 1 the i-th character. Defaults to False.
        guidance_size (tuple[int, int], optional): Adds the same text in
            another style and font, as ``guidance_img`` of this height and
            width: a guidance view in place of the transform `GuidanceView`.
            Defaults to None.
        pair (str, optional): Adds a second picture, ``pair_img``, and its
            text, ``pair_text``. ``'same_style'``: another word on the same
            canvas, in the same font, size, style and place, and the canvas
            without text, ``erased_img``. ``'near_text'``: so, but the other
            word differs in one to three characters alone. ``'same_text'``:
            the same word in another font and style. What else is asked for
            is added of both, as ``pair_polygons``, ``pair_seg_map``,
            ``pair_plain_glyphs``;
            :class:`~lmim.datasets.ForEachPicture` transforms all alike.
            Defaults to None.
        with_plain_glyphs (bool or str): Whether to add the word in plain
            letters in the place of the styled ones, as ``plain_glyphs``
            ((H, W), uint8); a path names their font. Defaults to False.
        data_root (str): Prefix of a relative ``words``. Defaults to ''.
        metainfo (dict, optional): Added to :attr:`metainfo`.
        settings: What is written and how it looks: ``seed``, ``alphabet``,
            ``words``, ``lengths``, ``fonts``, ``style``, ``difficulty`` ...;
            see :func:`lmim.rendering.samples.make_sets`.

    Raises:
        OSError: If a file or folder is missing.
        UserError: If a setting makes no sense, or words, characters and
            fonts do not go together.

    Examples:
        >>> train_dataset = dict(
        ...     type='RenderedTextDataset',
        ...     length=100_000,
        ...     words='data/words.txt',
        ...     fonts=['matplotlib', 'machine'],
        ...     pipeline=pipeline)
    """

    def __init__(self,
                 length: int,
                 part: Optional[str] = 'train',
                 fixed: Optional[bool] = None,
                 pipeline: Sequence[Union[dict, Callable]] = (),
                 with_text: bool = False,
                 with_letters: Union[bool, str] = False,
                 guidance_size: Optional[Tuple[int, int]] = None,
                 pair: Optional[str] = None,
                 with_plain_glyphs: Union[bool, str] = False,
                 data_root: str = '',
                 metainfo: Optional[dict] = None,
                 **settings: Any) -> None:
        if length < 1:
            raise UserError(f'length is 1 or more, not {length}')
        if with_letters not in (False, True, 'labels'):
            raise UserError("with_letters is True, False or 'labels', not "
                            f'{with_letters!r}')
        if pair not in PAIRS:
            raise UserError(f'pair is one of {PAIRS}, not {pair!r}')
        if settings.get('words') is not None:
            words = settings['words']
            if not isinstance(words, (str, os.PathLike)):
                raise UserError('RenderedTextDataset(words=...) is the path '
                                f'of a list, not {words!r}: write them into '
                                'a text file, one a line')
            settings['words'] = osp.join(data_root, words)
        made = make_rendered_sets({part: length}, **settings)
        #: The words, drawn or not; ``left_out`` says what is not drawn.
        self.words = made.parts[part]
        super().__init__(RenderedRecords(self.words), pipeline, with_text,
                         metainfo)
        self.left_out = made.left_out
        self.fixed = part == 'test' if fixed is None else fixed
        self.with_letters = with_letters
        self.guidance_size = guidance_size
        self.pair = pair
        self.plain = (PlainGlyphs(with_plain_glyphs if isinstance(
            with_plain_glyphs, str) else None) if with_plain_glyphs else None)

    @property
    def epoch(self) -> int:
        """int: The epoch whose samples are drawn."""
        return 0 if self.fixed else self.run_seed.epoch

    def load(self, index: int) -> Dict[str, Any]:
        """Draw a sample.

        Args:
            index (int): Its number.

        Returns:
            Dict[str, Any]: ``img`` ((H, W, 3), uint8, BGR), ``ori_shape``
            and ``img_shape`` ((H, W)), what :meth:`get_data_info` gives, and
            what else was asked for.
        """
        more: Dict[str, Any] = {}
        if self.pair in ('same_style', 'near_text'):
            word, other, erased = self.words.same_style(
                index, self.epoch, near=self.pair == 'near_text')
            more = dict(self._beside(other), erased_img=erased)
        else:
            word = self.words.sample(index, self.epoch)
            if self.pair == 'same_text':
                more = self._beside(self.words.same_text(index, self.epoch))
        shape = word.image.shape[:2]
        info = dict(self.get_data_info(index), img=word.image,
                    ori_shape=shape, img_shape=shape,
                    **self._letters(word, 'gt_'), **more)
        if self.plain is not None:
            info['plain_glyphs'] = word.plain(self.plain)
        if self.guidance_size is not None:
            other = self.words.same_text(index, self.epoch)
            info['guidance_img'] = resize(other.image, self.guidance_size)
        return info

    def _beside(self, word: RenderedWord) -> Dict[str, Any]:
        """What is added of the second word of a pair."""
        info = dict(pair_img=word.image, pair_text=word.text,
                    **self._letters(word, 'pair_'))
        if self.plain is not None:
            info['pair_plain_glyphs'] = word.plain(self.plain)
        return info

    def _letters(self, word: RenderedWord, prefix: str) -> Dict[str, Any]:
        """Where the letters of a word are, if that is asked for."""
        if not self.with_letters:
            return {}
        return {prefix + 'polygons': list(word.boxes.reshape(-1, 8)),
                prefix + 'seg_map': word.letters
                if self.with_letters == 'labels' else word.mask}

    def _text(self, index: int) -> str:
        return self.words.text(index, self.epoch)

    def _replacement(self, index: int, attempt: int) -> int:
        return mix(self.epoch, index, attempt) % len(self)
