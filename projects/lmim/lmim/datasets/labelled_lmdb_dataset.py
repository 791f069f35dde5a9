"""Word images with their text, from LMDBs."""
from typing import Any, Dict

from mmocr.registry import DATASETS

from .sources import UnreadableRecordError
from .text_image_dataset import TextImageDataset


@DATASETS.register_module()
class LabelledLMDBDataset(TextImageDataset):
    """Word images and their text from LMDBs, for fine-tuning and testing.

    MMOCR's ``RecogLMDBDataset`` opens its LMDB while it is built, which a
    spawned worker cannot take over, stops at the first broken image, and
    keeps an object for each record. This one reads the same LMDBs
    (``label-%09d``, plain UTF-8) and adds the same key, ``instances``, for
    ``LoadOCRAnnotations(with_text=True)``. See :class:`TextImageDataset` for
    the arguments; a record without label counts as unreadable.

    Examples:
        >>> train_dataset = dict(
        ...     type='LabelledLMDBDataset',
        ...     paths='data/words.lmdb',
        ...     pipeline=[
        ...         dict(type='SetSampleSeed'),
        ...         dict(type='LoadOCRAnnotations', with_text=True),
        ...         dict(type='Resize', scale=(128, 32)),
        ...         dict(type='PackTextRecogInputs',
        ...              meta_keys=('img_path', 'ori_shape', 'img_shape',
        ...                         'valid_ratio')),
        ...     ])
    """

    #: As in MMOCR's JSON files, so that both can be concatenated.
    METAINFO = dict(dataset_type='TextRecogDataset', task_name='textrecog')

    def get_data_info(self, index: int) -> Dict[str, Any]:
        """Name and text of a record, without decoding it.

        Raises:
            UnreadableRecordError: If it has no label.
        """
        text = self.source.label(index)
        if text is None:
            raise UnreadableRecordError(
                'it has no label (UnlabelledTextDataset needs none)')
        info = super().get_data_info(index)
        info['instances'] = [dict(text=text)]
        return info
