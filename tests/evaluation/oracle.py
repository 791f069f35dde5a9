"""A recognizer that reads what it is told, and sets of words to read."""
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.structures import LabelData
from mmocr.models.common.dictionary import Dictionary
from mmocr.registry import MODELS
from mmocr.structures import TextRecogDataSample
from torch import nn

from tests.datasets.make_lmdb import make_lmdb, picture

VALID = '[^A-Za-z0-9]'
METRICS = [
    dict(type='WordMetric', mode=['exact', 'ignore_case_symbol'],
         valid_symbol=VALID),
    dict(type='OneMinusNEDMetric', valid_symbol=VALID),
]


def word(label: str, read: str,
         score: Optional[Sequence[float]] = None) -> TextRecogDataSample:
    """A word as a recognizer hands it to an evaluator."""
    sample = TextRecogDataSample(
        gt_text=LabelData(item=label), pred_text=LabelData(item=read))
    if score is not None:
        sample.pred_text.score = score
    return sample


class OracleDecoder(nn.Module):
    """What of a decoder tells which words can be written."""

    def __init__(self, dict_file: str, max_seq_len: int) -> None:
        super().__init__()
        self.dictionary = Dictionary(dict_file)
        self.module_loss = nn.Module()
        self.module_loss.max_seq_len = max_seq_len  # type: ignore
        self.module_loss.letter_case = 'unchanged'  # type: ignore


@MODELS.register_module()
class Oracle(BaseModel):
    """Reads a word right, or as ``readings`` has it for a label."""

    def __init__(self, dict_file: str, max_seq_len: int = 8,
                 readings: Optional[Dict[str, str]] = None,
                 **kwargs: Any) -> None:
        super().__init__(
            data_preprocessor=dict(type='TextRecogDataPreprocessor'))
        self.decoder = OracleDecoder(dict_file, max_seq_len)
        self.readings = readings or {}
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, inputs: torch.Tensor, data_samples: Any,
                mode: str) -> List[TextRecogDataSample]:
        for sample in data_samples:
            read = self.readings.get(sample.gt_text.item, sample.gt_text.item)
            sample.pred_text = LabelData(item=read, score=[0.5] * len(read))
        return data_samples


def write_words(path: Path, words: Sequence[str]) -> Path:
    """An LMDB of grey pictures, the brighter the later."""
    make_lmdb(path, [picture(10 * n, 16, 40) for n in range(len(words))],
              [text.encode() for text in words])
    return path


def evaluation_cfg(work_dir: Path, sets: Dict[str, Any],
                   model: Dict[str, Any]) -> Config:
    """A config that tests a model on sets, each with arguments of its own."""
    pipeline = [
        dict(type='LoadOCRAnnotations', with_text=True),
        dict(type='PackTextRecogInputs', meta_keys=('img_path', 'ori_shape',
                                                    'img_shape',
                                                    'valid_ratio')),
    ]
    datasets = [
        dict(type='TextImageDataset', with_text=True, test_mode=True, **one)
        for one in sets.values()
    ]
    return Config(
        dict(
            default_scope='mmocr',
            experiment_name=work_dir.name,
            work_dir=str(work_dir),
            model=model,
            test_dataloader=dict(
                batch_size=2,
                num_workers=0,
                sampler=dict(type='DefaultSampler', shuffle=False),
                dataset=dict(type='ConcatDataset', datasets=datasets,
                             pipeline=pipeline)),
            test_cfg=dict(type='TestLoop'),
            test_evaluator=dict(type='BenchmarkEvaluator', metrics=METRICS,
                                dataset_prefixes=list(sets)),
            default_hooks=dict(benchmark=dict(type='BenchmarkHook'))),
        format_python_code=False)  # which takes seconds
