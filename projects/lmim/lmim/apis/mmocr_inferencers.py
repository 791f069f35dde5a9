"""MMOCR's inferencers with this project's recognizers.

``TextRecInferencer``, and so ``MMOCRInferencer(rec=...)``, replace the
transform of a test pipeline that loads pictures, and refuse a pipeline without
one. The data sets of this project have decoded the pictures already, so their
pipelines have none. They also number their records, ``sample_idx``, and what
inferencers are given has no number.
"""
from typing import Any

from mmengine.dataset import Compose
from mmocr.apis.inferencers import TextRecInferencer

from .preprocessing import find_pipeline

_original = TextRecInferencer._init_pipeline


def _init_pipeline(self: TextRecInferencer, cfg: Any) -> Compose:
    """MMOCR's method, with a transform that loads where there is none."""
    pipeline = find_pipeline(cfg.to_dict())
    if pipeline and not any(step.get('type') in self.loading_transforms
                            for step in pipeline):
        if 'meta_keys' in pipeline[-1]:
            pipeline[-1]['meta_keys'] = [
                key for key in pipeline[-1]['meta_keys']
                if key != 'sample_idx']
        pipeline = [dict(type='LoadImageFromFile'), *pipeline]
        cfg.test_dataloader = dict(dataset=dict(pipeline=pipeline))
    return _original(self, cfg)


def install() -> None:
    """Let MMOCR's inferencers take pipelines that load nothing.

    Calling it again changes nothing. Pipelines that load are MMOCR's affair
    as before.
    """
    TextRecInferencer._init_pipeline = _init_pipeline
