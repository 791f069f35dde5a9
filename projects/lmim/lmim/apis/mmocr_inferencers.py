"""MMOCR's inferencers with this project's recognizers.

``TextRecInferencer``, and so ``MMOCRInferencer(rec=...)``, replace the
transform of a test pipeline that loads pictures, and refuse a pipeline without
one. The data sets of this project have decoded the pictures already, so their
pipelines have none. They also number their records, ``sample_idx``, and what
inferencers are given has no number.

Names of models are looked up in MMOCR's own metafiles; here ``lmim-reader``
is one, too, the recognizer that comes with this package.

Whole photographs, for ``MMOCRInferencer(det=...)``, are decoded as words are:
MMCV's decoder drops transparency, and the ink with it.

Of a checkpoint without a config they execute the config that it holds, and
need the dictionary file that this names. One that carries its characters is
read as :func:`~lmim.apis.load_recognizer` does: alone, and nothing executed.
"""
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple, Union

import numpy as np
from mmengine import fileio
from mmengine.config import ConfigDict
from mmengine.dataset import Compose
from mmocr.apis.inferencers import MMOCRInferencer, TextRecInferencer
from mmocr.datasets.transforms import InferencerLoader
from torch import nn

from lmim.checkpoints import open_checkpoint
from lmim.checkpoints.loading import refuse_diverged
from lmim.datasets.decoding import decode_image
from lmim.datasets.pictures import from_array

from .loading import load_recognizer, reader_path
from .preprocessing import Preprocessing, find_pipeline

#: The name of the reader, as in this project's metafile.
READER_NAME = 'lmim-reader'
#: What recognition is drawn by: MMOCR's, that keeps no files.
VISUALIZER = dict(type='TextRecogLocalVisualizer', name='visualizer')

_original = TextRecInferencer._init_pipeline
_named = TextRecInferencer._load_model_from_metafile
_init = TextRecInferencer._init_model
_forward = MMOCRInferencer.forward


class PictureLoader(InferencerLoader):
    """MMOCR's loader, with pictures as :class:`TextRecognizer` sees them."""

    def transform(self, single_input: Union[str, np.ndarray, dict]) -> dict:
        """Load a picture; as the method of MMOCR."""
        given: Dict[str, Any] = (
            single_input if isinstance(single_input, dict) else
            dict(img_path=single_input) if isinstance(single_input, str)
            else dict(img=single_input))
        return super().transform(dict(given, img=_picture(
            given['img'] if 'img' in given else given['img_path'])))


def _picture(given: Union[str, np.ndarray]) -> np.ndarray:
    """A picture of a file or an array, (H, W, 3), uint8, BGR."""
    return (decode_image(fileio.get(given)) if isinstance(given, str)
            else from_array(given))


def _forward_photographs(self: MMOCRInferencer, inputs: List[Any],
                         *args: Any, **kwargs: Any) -> Dict[str, Any]:
    """MMOCR's method, where a detector is given photographs as they look."""
    if self.mode != 'rec':
        inputs = [_picture(given) for given in inputs]
    return _forward(self, inputs, *args, **kwargs)


def _load_model_from_metafile(self: TextRecInferencer,
                              model: str) -> Tuple[Any, Optional[str]]:
    """MMOCR's method, which knows the reader's name, too."""
    if model.lower() == READER_NAME:
        return ConfigDict(), str(reader_path())
    return _named(self, model)


def _init_model(self: TextRecInferencer, cfg: Any, weights: Optional[str],
                device: str = 'cpu') -> nn.Module:
    """MMOCR's method, but for a checkpoint that needs no other file."""
    opened = (None if cfg or weights is None or not Path(weights).is_file()
              else open_checkpoint(weights))
    if opened is None or opened.characters() is None:
        model = _init(self, cfg, weights, device)
        refuse_diverged(model, str(weights))
        return model
    model, held = load_recognizer(opened, device=device)
    # A stranger's transforms, and visualizer, are not built.
    Preprocessing(held, f'the config in {weights}', trusted=False)
    cfg.update(model=held.model, visualizer=ConfigDict(VISUALIZER),
               test_dataloader=dict(dataset=dict(
                   pipeline=find_pipeline(held.to_dict()))))
    model.cfg = cfg
    return model


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
        composed = _original(self, cfg)
        composed.transforms[0] = PictureLoader()
        return composed
    return _original(self, cfg)


def install() -> None:
    """Let MMOCR's inferencers take pipelines that load nothing, and more.

    Calling it again changes nothing. Pipelines that load are MMOCR's affair
    as before.
    """
    TextRecInferencer._init_pipeline = _init_pipeline
    TextRecInferencer._load_model_from_metafile = _load_model_from_metafile
    TextRecInferencer._init_model = _init_model
    MMOCRInferencer.forward = _forward_photographs
