"""Word images without labels."""
from mmocr.registry import DATASETS

from .text_image_dataset import TextImageDataset


@DATASETS.register_module()
class UnlabelledTextDataset(TextImageDataset):
    """Pictures of words without labels, for pre-training.

    Labels that an LMDB may hold are not read. See
    :class:`TextImageDataset` for the arguments.

    Examples:
        >>> train_dataset = dict(
        ...     type='UnlabelledTextDataset',
        ...     data_root='data/Union14M-U',
        ...     paths=['book32_lmdb', 'cc_lmdb', 'openvino_lmdb'],
        ...     pipeline=[
        ...         dict(type='SetSampleSeed'),
        ...         dict(type='GuidanceView', level='medium'),
        ...         dict(type='Resize', scale=(128, 32)),
        ...         dict(type='PackPretrainInputs'),
        ...     ])
    """

    METAINFO = dict(dataset_type='UnlabelledTextDataset',
                    task_name='textrecog')
