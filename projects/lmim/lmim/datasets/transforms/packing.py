"""The last transform of a pre-training pipeline."""
from typing import Any, Dict, Optional, Sequence, Union

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from torch import Tensor

from mmocr.registry import TRANSFORMS

from lmim.utils.errors import UserError


@TRANSFORMS.register_module()
class PackPretrainInputs(BaseTransform):
    """Pack the views for pre-training, as uint8 until the device.

    For a data loader with ``collate_fn=dict(type='default_collate')``.

    Required Keys:

    - img, or those of ``keys`` and ``meta_keys``
    - sample_idx

    Added Keys:

    - inputs: The views, each a uint8 tensor of shape (3, H, W), BGR: a list,
      or one tensor where there is one view. It is the first key, which
      mmpretrain's ``SelfSupDataPreprocessor`` relies on.
    - data_samples: the sample index, by which ``dataset.describe`` names the
      record; with ``meta_keys`` a dict of ``sample_idx`` and those.

    Args:
        keys (Sequence[str], optional): The views. Defaults to None: ``img``,
            and ``guidance_img`` where there is one.
        meta_keys (Sequence[str]): Arrays and texts that belong to the views,
            such as ``guidance_warp``. ``aspect`` is the width / height of the
            picture before it was resized, by its ``ori_shape``; ``text`` is
            what it says, by its ``instances``.
    """

    def __init__(self,
                 keys: Optional[Sequence[str]] = None,
                 meta_keys: Sequence[str] = ()) -> None:
        self.keys = keys
        self.meta_keys = meta_keys

    def transform(self, results: Dict) -> Dict[str, Any]:
        """Pack the views.

        Raises:
            UserError: If a view is missing or not (H, W, 3) uint8, or two
                differ in shape.
        """
        keys = self.keys or [key for key in ('img', 'guidance_img')
                             if key in results]
        views = [self._pack(results, key) for key in keys]
        for key, view in zip(keys, views):
            if view.shape != views[0].shape:
                raise UserError(
                    f'{keys[0]} is {tuple(views[0].shape)} and {key} '
                    f'{tuple(view.shape)} (channels, height, width): give '
                    'Resize(scale=(width, height)) and '
                    'GuidanceView(img_size=(height, width)) the same size.')
        about: Any = int(results['sample_idx'])
        if self.meta_keys:
            about = dict(sample_idx=about, **{
                key: self._about(results, key) for key in self.meta_keys})
        return dict(inputs=views if len(views) > 1 else views[0],
                    data_samples=about)

    @staticmethod
    def _about(results: Dict, key: str) -> Union[Tensor, str]:
        if key == 'aspect':
            height, width = results['ori_shape']
            return torch.tensor(width / height)
        if key == 'text':
            if not results.get('instances'):
                raise UserError('there is no text to pack: give the data set '
                                'labels and with_text=True')
            return str(results['instances'][0]['text'])
        if key not in results:
            raise UserError(f'there is no results[{key!r}] to pack: put what '
                            'adds it before PackPretrainInputs')
        found = results[key]
        return found if isinstance(found, str) else torch.from_numpy(found)

    @staticmethod
    def _pack(results: Dict, key: str) -> Tensor:
        img = results.get(key)
        if img is None:
            raise UserError(f'there is no results[{key!r}] to pack: put the '
                            'transform that adds it before it')
        if img.ndim != 3 or img.shape[2] != 3 or img.dtype != np.uint8:
            raise UserError(
                f"results[{key!r}] of {results.get('img_path')} is "
                f'{img.shape} {img.dtype}; pre-training takes (H, W, 3) '
                "uint8. Decode with color_type='color', and normalise in the "
                'data preprocessor, not in the pipeline.')
        return torch.from_numpy(np.ascontiguousarray(img.transpose(2, 0, 1)))

    def __repr__(self) -> str:
        return (f'{self.__class__.__name__}(keys={self.keys}, '
                f'meta_keys={self.meta_keys})')
