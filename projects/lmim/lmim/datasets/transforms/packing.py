"""The last transform of a pre-training pipeline."""
from typing import Any, Dict

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

    - img
    - sample_idx
    - guidance_img (optional)

    Added Keys:

    - inputs: ``[img, guidance_img]``, or ``img`` where there is no guidance
      view; each a uint8 tensor of shape (3, H, W), BGR. It is the first key,
      which mmpretrain's ``SelfSupDataPreprocessor`` relies on.
    - data_samples: the sample index, by which
      ``dataset.describe`` names the record.
    """

    def transform(self, results: Dict) -> Dict[str, Any]:
        """Pack the views.

        Raises:
            UserError: If a view is not (H, W, 3) uint8, or the two differ
                in shape.
        """
        inputs: Any = self._pack(results, 'img')
        if 'guidance_img' in results:
            guidance = self._pack(results, 'guidance_img')
            if guidance.shape != inputs.shape:
                raise UserError(
                    f'the picture is {tuple(inputs.shape)} and its guidance '
                    f'view {tuple(guidance.shape)} (channels, height, '
                    'width): give Resize(scale=(width, height)) and '
                    'GuidanceView(img_size=(height, width)) the same size.')
            inputs = [inputs, guidance]
        return dict(inputs=inputs, data_samples=int(results['sample_idx']))

    @staticmethod
    def _pack(results: Dict, key: str) -> Tensor:
        img = results[key]
        if img.ndim != 3 or img.shape[2] != 3 or img.dtype != np.uint8:
            raise UserError(
                f"results[{key!r}] of {results.get('img_path')} is "
                f'{img.shape} {img.dtype}; pre-training takes (H, W, 3) '
                "uint8. Decode with color_type='color', and normalise in the "
                'data preprocessor, not in the pipeline.')
        return torch.from_numpy(np.ascontiguousarray(img.transpose(2, 0, 1)))

    def __repr__(self) -> str:
        return f'{self.__class__.__name__}()'
