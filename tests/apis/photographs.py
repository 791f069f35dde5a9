"""A photograph with dark words, and one of MMOCR's detectors that finds them.

The detector is a DBNet with its own head and postprocessor. In place of a
trained backbone there is one that answers where the picture is dark, and the
head's weights hand this on.
"""
from pathlib import Path
from typing import Any, List, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.model import BaseModule
from mmocr.registry import MODELS

CONFIG = """
model = dict(
    type='mmocr.DBNet',
    backbone=dict(type='DarknessForTests'),
    det_head=dict(
        type='DBHead',
        in_channels=4,
        module_loss=dict(type='DBModuleLoss'),
        postprocessor=dict(
            type='DBPostprocessor', text_repr_type='quad',
            unclip_ratio=0.1)),
    data_preprocessor=dict(
        type='TextDetDataPreprocessor', mean=[0.] * 3, std=[255.] * 3,
        bgr_to_rgb=True, pad_size_divisor=32))
test_pipeline = [
    dict(type='LoadImageFromFile', color_type='color_ignore_orientation'),
    dict(type='Resize', scale=(640, 320), keep_ratio=True),
    dict(type='PackTextDetInputs',
         meta_keys=('img_path', 'ori_shape', 'img_shape', 'scale_factor'))
]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
visualizer = dict(type='TextDetLocalVisualizer', name='visualizer-det')
default_scope = 'mmocr'
"""


@MODELS.register_module(force=True)
class DarknessForTests(BaseModule):
    """1 where a picture is dark, 0 where it is bright, at a quarter of its
    size, on the first of four channels."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        dark = F.avg_pool2d(1 - inputs.mean(dim=1, keepdim=True), 4)
        # Padding is black, and no text.
        dark = dark * (F.avg_pool2d(inputs.amax(1, True), 4) > 0)
        return torch.cat([dark, torch.zeros_like(dark).expand(
            -1, 3, -1, -1)], dim=1)


def write_detector(folder: Path) -> Tuple[Path, Path]:
    """Write the detector's config and checkpoint."""
    config, weights = folder / 'det.py', folder / 'det.pth'
    config.write_text(CONFIG)
    model: Any = MODELS.build(
        dict(Config.fromfile(config).model, _scope_='mmocr'))
    for layers in (model.det_head.binarize, model.det_head.threshold):
        first, *_ = [m for m in layers if isinstance(m, torch.nn.Conv2d)]
        rest = [m for m in layers
                if isinstance(m, torch.nn.ConvTranspose2d)]
        with torch.no_grad():
            first.weight.zero_()
            first.weight[0, 0, 1, 1] = 1
            for layer in rest:
                layer.weight.fill_(1)
                layer.bias.zero_()
            rest[-1].weight.fill_(40)
            rest[-1].bias.fill_(-20)
    torch.save(dict(state_dict=model.state_dict(), meta={}), weights)
    return config, weights


def photograph(words: List[np.ndarray]) -> Tuple[np.ndarray, List[List[int]]]:
    """Four dark words in two lines on white, (320, 640, 3), and their boxes:
    left, top, right, bottom."""
    image = np.full((320, 640, 3), 255, np.uint8)
    boxes = []
    for word, (left, top) in zip(words, [(40, 40), (340, 48), (48, 200),
                                         (344, 208)]):
        height, width = word.shape[:2]
        image[top:top + height, left:left + width] = word
        boxes.append([left, top, left + width, top + height])
    return image, boxes
