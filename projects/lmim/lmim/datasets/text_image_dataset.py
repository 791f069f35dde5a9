"""Word images from wherever they lie, with or without their text."""
from typing import Any, Callable, Dict, Optional, Sequence, Union

from mmocr.registry import DATASETS

from lmim.utils.errors import UserError

from .decoding import decode_image
from .records import (Part, Spec, UnreadableRecordError, leaves, open_sources,
                      parts_of_source)
from .transforms.seed import mix
from .unreadable import UnreadableRecords
from .word_dataset import WordDataset

#: So many records of a part, evenly spread, are looked at for one that is
#: readable before the part is refused.
MAX_PROBES = 1000


@DATASETS.register_module()
class TextImageDataset(WordDataset):
    """Pictures of words from LMDBs, folders and lists, each decoded once.

    Neither time nor memory grows with the number of records, files are
    opened in each worker at its first read, and a record that cannot be read
    is skipped, counted (:attr:`num_unreadable`), named in the log and in
    ``unreadable.jsonl`` beside it, and replaced by another one of the same
    place, drawn from (seed, epoch, index). Records come decoded: a pipeline
    needs no ``LoadImageFromFile``.

    Args:
        paths (str, dict or Sequence): What to read, recognised by itself;
            several are joined. See
            :func:`~lmim.datasets.records.open_sources`.
        data_root (str): Prefix of relative paths. Defaults to ''.
        pipeline (Sequence[dict or Callable]): Transforms. Defaults to ().
        with_text (bool): Whether to add the text as ``instances``, for
            ``LoadOCRAnnotations(with_text=True)``. A record without label is
            unreadable then. Defaults to False: labels are not looked at.
        color_type (str): As in :func:`~lmim.datasets.decoding.decode_image`.
            Defaults to 'color': (H, W, 3), BGR.
        alpha_color (Sequence[int], optional): What transparent pictures are
            laid on, as in :func:`~lmim.utils.pixels.lay_on_ground`.
        max_unreadable (float): Training stops where a larger fraction of the
            reads fails (ten different records at least). Defaults to 0.01.
        test_mode (bool): Whether an unreadable record is an error, as it
            must be where each record counts. Defaults to False.
        published (dict, optional): What is known of a published set: its
            ``name``, and perhaps ``num_samples``, ``labels``, the
            ``benchmark`` in whose table it stands, and ``in_average=False``
            where that leaves it out. Only kept, as :attr:`published`.
        metainfo (dict, optional): Added to :attr:`metainfo`.

    Raises:
        UserError: If a place has none of the labels that are wanted, or no
            readable record among those looked at; and as ``open_sources``.
        OSError: As ``open_sources`` raises it.

    Examples:
        >>> train_dataset = dict(
        ...     type='TextImageDataset',
        ...     data_root='data/Union14M-U',
        ...     paths=['book32_lmdb', 'cc_lmdb', 'openvino_lmdb'],
        ...     pipeline=pipeline)
    """

    def __init__(self,
                 paths: Union[Spec, Sequence[Spec]],
                 data_root: str = '',
                 pipeline: Sequence[Union[dict, Callable]] = (),
                 with_text: bool = False,
                 color_type: str = 'color',
                 alpha_color: Optional[Sequence[int]] = None,
                 max_unreadable: float = 0.01,
                 test_mode: bool = False,
                 published: Optional[dict] = None,
                 metainfo: Optional[dict] = None) -> None:
        self.unreadable = UnreadableRecords(max_unreadable)
        super().__init__(open_sources(paths, data_root), pipeline, with_text,
                         metainfo)
        self.color_type = color_type
        self.alpha_color = alpha_color
        self.test_mode = test_mode
        if test_mode:
            self.max_refetch = 1  # each record counts
        self.published = published
        self.parts = parts_of_source(self.source)
        if with_text:
            self._check_labelled()
        for part in self.parts:
            self._check_readable(part)

    @property
    def num_unreadable(self) -> int:
        """int: Unreadable records met so far, by all workers."""
        return len(self.unreadable)

    def load(self, index: int) -> Dict[str, Any]:
        """Read and decode a record.

        Args:
            index (int): Number of the record.

        Returns:
            Dict[str, Any]: ``img`` ((H, W, 3), uint8, BGR), ``ori_shape``
            and ``img_shape`` ((H, W)), and what :meth:`get_data_info` gives.

        Raises:
            UnreadableRecordError: If it cannot be.
        """
        img = decode_image(self.source.read(index), self.color_type,
                           self.alpha_color)
        info = self.get_data_info(index)
        info.update(img=img, ori_shape=img.shape[:2], img_shape=img.shape[:2])
        return info

    def _text(self, index: int) -> str:
        text = self.source.label(index)
        if text is None:
            raise UnreadableRecordError('it has no label')
        return text

    def _try(self, index: int) -> Optional[Dict[str, Any]]:
        """Load a record; one that is unreadable is counted and named.

        Raises:
            UnreadableRecordError: In ``test_mode``, if it is unreadable.
            TooManyUnreadableError: If more are than ``max_unreadable``.
        """
        self.unreadable.count_read()
        try:
            return self.load(index)
        except UnreadableRecordError as error:
            if self.test_mode:
                raise UnreadableRecordError(
                    f'{self.describe(index)} is unreadable: {error}. A test '
                    'set is not evaluated in part: repair the record or take '
                    'it out of the set.') from error
            self.unreadable.report(index, error, self.describe)
            return None

    def _check_labelled(self) -> None:
        """Refuse sources without labels where labels are wanted."""
        listing = ''.join(f'\n  {one.path} ({one.layout})'
                          for one in leaves(self.source)
                          if not one.labelled)
        if listing:
            raise UserError(
                'Labels are needed (with_text=True), and there are none in:'
                f'{listing}\nGive sets with labels; of an LMDB whose labels '
                "are in another one, paths=[dict(path='IMAGES', "
                "labels='LABELS')]. To pre-train on pictures alone, leave out "
                'with_text.')

    def _check_readable(self, part: Part) -> None:
        """Refuse a part of the set in which no record can be read."""
        probes = range(part.begin, part.end, -(-part.size // MAX_PROBES))
        first = ''
        for index in probes:
            try:
                self.load(index)
                return
            except UnreadableRecordError as error:
                first = first or f'{self.describe(index)}: {error}'
        raise UserError(
            f'{part.name}: no readable record among {len(probes):,} looked '
            f'at, of {part.size:,}. The first: {first}. Check that these are '
            'images, and copy or make the set again.')

    def _replacement(self, index: int, attempt: int) -> int:
        """Any record of its part, the same in any worker and on resume."""
        # Neighbours are often of one scene, which would then be seen more
        # often; a record of another part would shift the mix.
        part = next(part for part in self.parts if index < part.end)
        number = mix(self.run_seed.seed, self.run_seed.epoch, index, attempt)
        return part.begin + number % part.size
