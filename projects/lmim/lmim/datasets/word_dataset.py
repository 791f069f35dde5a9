"""What data sets of word images share, wherever their records come from."""
from abc import abstractmethod
from typing import Any, Callable, Dict, Optional, Sequence, Union

from mmengine.dataset import Compose
from torch.utils.data import Dataset

from lmim.utils.errors import UserError

from .records import RecordSource
from .transforms.seed import RUN_SEED, Draw


class WordDataset(Dataset):
    """Word images of a source, as MMEngine and MMOCR use data sets.

    Args:
        source (RecordSource): The records.
        pipeline (Sequence[dict or Callable]): Transforms.
        with_text (bool): Whether to add the text as ``instances``.
        metainfo (dict, optional): Added to :attr:`metainfo`.
    """

    #: As in MMOCR's JSON files, so that its sets and ours can be joined.
    METAINFO: Dict[str, Any] = dict(
        dataset_type='TextRecogDataset', task_name='textrecog')

    #: So many others are tried in place of a record of which nothing is made.
    max_refetch = 1000

    def __init__(self, source: RecordSource,
                 pipeline: Sequence[Union[dict, Callable]], with_text: bool,
                 metainfo: Optional[dict]) -> None:
        super().__init__()
        self.source = source
        self.with_text = with_text
        self.pipeline = Compose(pipeline)
        self.run_seed = RUN_SEED.share()
        self._metainfo = {**self.METAINFO, **(metainfo or {})}

    @property
    def metainfo(self) -> dict:
        """dict: As in MMEngine's datasets."""
        return dict(self._metainfo)

    def describe(self, index: int) -> str:
        """Name of a record, by its ``sample_idx``, for a person to find."""
        return self.source.name(index)

    def full_init(self) -> None:
        """Nothing is left to do; MMEngine's wrappers call this."""

    def get_data_info(self, index: int) -> Dict[str, Any]:
        """What is known of a record without decoding it.

        Returns:
            Dict[str, Any]: ``img_path`` (a name by which a person finds it),
            ``sample_idx`` and, with text, ``instances``.

        Raises:
            UnreadableRecordError: If its text is wanted and it has none.
        """
        info = dict(img_path=self.source.name(index), sample_idx=index)
        if self.with_text:
            info['instances'] = [dict(text=self._text(index))]
        return info

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Any:
        """Load a record, or another one in its place, and transform it.

        Raises:
            IndexError: If there is no such record.
            UserError: If nothing can be made of it, nor of many others.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f'no record {index} in a set of {len(self)}')
        if not isinstance(index, Draw):
            index = int(index)  # NumPy's
        index %= len(self)
        for attempt in range(self.max_refetch):
            results = self._try(
                self._replacement(index, attempt) if attempt else index)
            # A transform says with None that it can do nothing with this one.
            data = None if results is None else self.pipeline(results)
            if data is not None:
                return data
        raise UserError(
            f'{self.describe(index)}: nothing could be made of this record, '
            f'nor of {self.max_refetch - 1} others in its place. Look at '
            'warnings above, and for a transform that returns None, such as '
            'for words that are too long.')

    @abstractmethod
    def load(self, index: int) -> Dict[str, Any]:
        """Read and decode a record; see :meth:`get_data_info`.

        Returns:
            Dict[str, Any]: ``img`` ((H, W, 3), uint8, BGR), ``ori_shape``
            and ``img_shape`` ((H, W)), and what is known of it.
        """

    def _try(self, index: int) -> Optional[Dict[str, Any]]:
        """Load a record; None where another one is to take its place."""
        return self.load(index)

    @abstractmethod
    def _text(self, index: int) -> str:
        """The text of a record."""

    @abstractmethod
    def _replacement(self, index: int, attempt: int) -> int:
        """Another record, the same in any worker and on resume."""
