"""Words that are drawn while training runs."""
import os.path as osp
from typing import Any, Callable, Dict, Optional, Sequence, Tuple, Union

from mmengine.dataset import Compose
from mmocr.registry import DATASETS
from torch.utils.data import Dataset

from .transforms.seed import CLOCK, mix
from lmim.rendering import make_sets
from .transforms.guidance_ops import resize


@DATASETS.register_module()
class RenderedTextDataset(Dataset):
    """Labelled word images, each drawn when it is asked for.

    Nothing lies on disk. A sample hangs on the seed, the epoch of the run and
    its index alone: any number of workers, forked or spawned, and a run that
    was resumed, draw the same bytes.

    Args:
        length (int): Samples of an epoch.
        part (str, optional): 'train', 'test', or None for all. The test part
            has words and fonts that training has not. Defaults to 'train'.
        fixed (bool, optional): Whether each epoch has the same samples, or
            fresh ones. Defaults to None: only the test part has the same.
        pipeline (Sequence[dict or Callable]): Transforms. Defaults to ().
        with_text (bool): Whether to add the text as ``instances``, for
            ``LoadOCRAnnotations(with_text=True)``. Defaults to False.
        with_letters (bool): Whether to add where letters are, under keys
            that MMOCR's ``Resize(clip_object_border=False)`` carries along:
            ``gt_polygons``, a box of eight numbers for each character in
            reading order, and ``gt_seg_map``, their mask ((H, W), uint8).
            Defaults to False.
        guidance_size (tuple[int, int], optional): Adds the same text in
            another style and font, as ``guidance_img`` of this height and
            width: a guidance view in place of the transform `GuidanceView`.
            Defaults to None.
        data_root (str): Prefix of relative ``words``, ``statistics`` and
            ``alphabet_file``. Defaults to ''.
        metainfo (dict, optional): Added to :attr:`metainfo`.
        settings: What is written and how it looks: ``seed``, ``alphabet``,
            ``words``, ``statistics``, ``lengths``, ``fonts``, ``style``,
            ``difficulty`` ...; see :func:`.rendering.sets.make_sets`.

    Raises:
        OSError: If a file or folder is missing.
        ValueError: If a setting makes no sense, or words, characters and
            fonts do not go together.

    Examples:
        >>> train_dataset = dict(
        ...     type='RenderedTextDataset',
        ...     length=100_000,
        ...     words='data/words.txt',
        ...     fonts=['matplotlib', 'machine'],
        ...     pipeline=pipeline)
    """

    METAINFO: Dict[str, Any] = dict(
        dataset_type='TextRecogDataset', task_name='textrecog')

    #: So many others are tried where a transform can do nothing with one.
    max_refetch = 100

    def __init__(self,
                 length: int,
                 part: Optional[str] = 'train',
                 fixed: Optional[bool] = None,
                 pipeline: Sequence[Union[dict, Callable]] = (),
                 with_text: bool = False,
                 with_letters: bool = False,
                 guidance_size: Optional[Tuple[int, int]] = None,
                 data_root: str = '',
                 metainfo: Optional[dict] = None,
                 **settings: Any) -> None:
        super().__init__()
        if length < 1:
            raise ValueError(f'length is 1 or more, not {length}')
        for key in ('words', 'statistics', 'alphabet_file'):
            if settings.get(key) is not None:
                settings[key] = osp.join(data_root, settings[key])
        made = make_sets({part: length}, **settings)
        #: The words, drawn or not; ``left_out`` tells what is not drawn.
        self.source = made.parts[part]
        self.left_out = made.left_out
        self.fixed = part == 'test' if fixed is None else fixed
        self.with_text = with_text
        self.with_letters = with_letters
        self.guidance_size = guidance_size
        self.pipeline = Compose(pipeline)
        self.clock = CLOCK.share()
        self._metainfo = {**self.METAINFO, **(metainfo or {})}

    @property
    def metainfo(self) -> dict:
        """dict: As in MMEngine's datasets."""
        return dict(self._metainfo)

    @property
    def epoch(self) -> int:
        """int: The epoch whose samples are drawn."""
        return 0 if self.fixed else self.clock.epoch

    def describe(self, index: int) -> str:
        """Name of a sample, by its ``sample_idx``, for a person to find."""
        return self.source.name(index)

    def full_init(self) -> None:
        """Nothing is left to do; MMEngine's wrappers call this."""

    def get_data_info(self, index: int) -> Dict[str, Any]:
        """What is known of a sample without drawing it.

        Returns:
            Dict[str, Any]: ``img_path`` (a name by which a person finds it),
            ``sample_idx`` and, with text, ``instances``.
        """
        info = dict(img_path=self.source.name(index), sample_idx=index)
        if self.with_text:
            text = self.source.text(index, self.epoch)
            info['instances'] = [dict(text=text)]
        return info

    def load(self, index: int) -> Dict[str, Any]:
        """Draw a sample.

        Args:
            index (int): Its number.

        Returns:
            Dict[str, Any]: ``img`` ((H, W, 3), uint8, BGR), ``ori_shape``
            and ``img_shape`` ((H, W)), what :meth:`get_data_info` gives, and
            what else was asked for.
        """
        word = self.source.sample(index, self.epoch)
        shape = word.image.shape[:2]
        info = dict(img_path=self.source.name(index), sample_idx=index,
                    img=word.image, ori_shape=shape, img_shape=shape)
        if self.with_text:
            info['instances'] = [dict(text=word.text)]
        if self.with_letters:
            info['gt_polygons'] = list(word.boxes.reshape(-1, 8))
            info['gt_seg_map'] = word.mask
        if self.guidance_size is not None:
            other = self.source.same_text(index, self.epoch)
            info['guidance_img'] = resize(other.image, self.guidance_size)
        return info

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Any:
        """Draw a sample, and transform it.

        Raises:
            IndexError: If there is no such sample.
            RuntimeError: If a transform refuses (returns None for) this and
                many others.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f'no sample {index} in a set of {len(self)}')
        index = int(index) % len(self)
        for attempt in range(self.max_refetch):
            at = index
            if attempt:
                at = mix(self.epoch, index, attempt) % len(self)
            data = self.pipeline(self.load(at))
            # A transform says with None that it can do nothing with this one.
            if data is not None:
                return data
        raise RuntimeError(
            f'A transform refuses {self.describe(index)} and '
            f'{self.max_refetch - 1} others. Look for one that returns None, '
            'such as for words that are too long.')
