"""What our datasets of word images have in common."""
import os
import os.path as osp
from typing import Any, Callable, Dict, List, Optional, Sequence, Union

import cv2
import mmcv
from mmengine.dataset import Compose
from torch.utils.data import Dataset

from .clock import CLOCK, mix
from .sources import UnreadableRecordError, open_sources
from .unreadable import UnreadableRecords
from .worker_log import LogFile, current_log_file, warn


class TextImageDataset(Dataset):
    """Pictures of words from LMDBs and folders, each decoded once.

    Neither time nor memory grows with the number of records, files are
    opened in each worker at its first read, and a record that cannot be read
    is skipped, counted (:attr:`num_unreadable`), named in the log and
    replaced by another one of the set, drawn from (seed, epoch, index).

    Args:
        paths (str or Sequence[str]): LMDB folders, or folders of images that
            are searched with their sub-folders. Several are joined.
        data_root (str): Prefix of the relative ``paths``. Defaults to ''.
        pipeline (Sequence[dict or Callable]): Transforms. Defaults to ().
        color_type (str): How pictures are decoded, see
            :func:`mmcv.imfrombytes`. Defaults to 'color': (H, W, 3), BGR.
        max_unreadable (float): Training stops where a larger fraction of the
            reads fails (and at least ten different records did). Defaults to
            0.01.
        test_mode (bool): Whether an unreadable record is an error, as it
            must be where each record counts. Defaults to False.
        metainfo (dict, optional): Added to :attr:`metainfo`.

    Raises:
        FileNotFoundError: If paths do not exist; all of them are listed.
        NotADirectoryError: If a path is a file.
        ValueError: If a set is empty, or an LMDB is not as it should be, or
            none of the records looked at can be read.
    """

    METAINFO: Dict[str, Any] = dict(task_name='textrecog')

    #: So many records, evenly spread, are looked at for one that is readable
    #: before a set is refused.
    max_probes = 1000
    #: So many other records are tried in place of an unreadable one.
    max_refetch = 1000

    def __init__(self,
                 paths: Union[str, Sequence[str]],
                 data_root: str = '',
                 pipeline: Sequence[Union[dict, Callable]] = (),
                 color_type: str = 'color',
                 max_unreadable: float = 0.01,
                 test_mode: bool = False,
                 metainfo: Optional[dict] = None) -> None:
        super().__init__()
        if isinstance(paths, (str, os.PathLike)):
            paths = [paths]
        self.color_type = color_type
        self.test_mode = test_mode
        self.pipeline = Compose(pipeline)
        self.unreadable = UnreadableRecords(max_unreadable)
        self.clock = CLOCK.share()
        self._metainfo = {**self.METAINFO, **(metainfo or {})}
        self._log_file: Optional[LogFile] = None
        self.source = open_sources([osp.join(data_root, p) for p in paths])
        self._probe()

    @property
    def metainfo(self) -> dict:
        """dict: Facts about the set, as in MMEngine's datasets."""
        return dict(self._metainfo)

    @property
    def num_unreadable(self) -> int:
        """int: Unreadable records met so far, by all workers."""
        return len(self.unreadable)

    def unreadable_names(self) -> List[str]:
        """Names of the unreadable records met so far, by all workers."""
        return [self.source.name(i) for i in sorted(self.unreadable.listed())]

    def describe(self, index: int) -> str:
        """Name of a record by which a person finds it.

        Args:
            index (int): Its ``sample_idx``.
        """
        return self.source.name(index)

    def full_init(self) -> None:
        """Nothing is left to do; MMEngine's wrappers call this."""

    def get_data_info(self, index: int) -> Dict[str, Any]:
        """What is known of a record without decoding it."""
        return dict(img_path=self.source.name(index), sample_idx=index)

    def load(self, index: int) -> Dict[str, Any]:
        """Read and decode a record.

        Args:
            index (int): Number of the record.

        Returns:
            Dict[str, Any]: ``img`` ((H, W, 3), uint8, BGR), ``ori_shape``
            and ``img_shape`` ((H, W)), ``img_path`` (a name by which a
            person finds it), ``sample_idx``.

        Raises:
            UnreadableRecordError: If it cannot be.
        """
        value = self.source.read(index)
        try:
            img = mmcv.imfrombytes(value, flag=self.color_type)
        except cv2.error as error:
            reason = str(error).strip().splitlines()[0]
            raise UnreadableRecordError(f'OpenCV: {reason}') from error
        if img is None:
            raise UnreadableRecordError(
                f'its {len(value)} bytes are no image that OpenCV can decode')
        info = self.get_data_info(index)
        info.update(img=img, ori_shape=img.shape[:2], img_shape=img.shape[:2])
        return info

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Any:
        """Load a record, or another one in its place, and transform it.

        Raises:
            IndexError: If there is no such record.
            UnreadableRecordError: In ``test_mode``, if it is unreadable.
            TooManyUnreadableError: If more are than ``max_unreadable``.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f'no record {index} in a set of {len(self)}')
        index = int(index) % len(self)
        for attempt in range(self.max_refetch):
            at = self._replacement(index, attempt) if attempt else index
            self.unreadable.count_read()
            try:
                results = self.load(at)
            except UnreadableRecordError as error:
                self._report(at, error)
                continue
            data = self.pipeline(results)
            # A transform says with None that it can do nothing with this one.
            if data is not None:
                return data
        raise RuntimeError(
            f'{self.source.path}: nothing could be made of '
            f'{self.describe(index)}, nor of {self.max_refetch - 1} others. '
            'Look at the warnings above, and for a transform that returns '
            'None.')

    def _replacement(self, index: int, attempt: int) -> int:
        """Any record of the set, the same in any worker and on any resume.

        A neighbour would do, but records near each other are often of one
        scene, which would then be seen more often.
        """
        return mix(self.clock.seed, self.clock.epoch, index,
                   attempt) % len(self)

    def _report(self, index: int, error: UnreadableRecordError) -> None:
        name = self.source.name(index)
        if self.test_mode:
            raise UnreadableRecordError(
                f'{name} is unreadable: {error}. A test set is not evaluated '
                'in part: mend the record or take it out of the set.'
            ) from error
        if self.unreadable.add(index):
            message = f'Unreadable record skipped: {name}: {error}.'
            if self.unreadable.full:
                message += ' Further ones are counted, and not named.'
            warn(message, self._log_file)
        self.unreadable.check(self.unreadable_names()[:3])

    def _probe(self) -> None:
        """Refuse a set without a readable record before training begins."""
        step = -(-len(self) // self.max_probes)
        probes = range(0, len(self), step)
        first: Optional[str] = None
        for index in probes:
            try:
                self.load(index)
                return
            except UnreadableRecordError as error:
                first = first or f'{self.source.name(index)}: {error}'
        raise ValueError(
            f'{self.source.path}: no readable record among '
            f'{len(probes):,} looked at, of {len(self):,}. The first: '
            f'{first}. Check that these are images, and copy or make the set '
            'again.')

    def __getstate__(self) -> Dict[str, Any]:
        # Called when a worker is spawned: tell it where the log is.
        return {**self.__dict__, '_log_file': current_log_file()}
