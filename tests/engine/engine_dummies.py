"""Tiny models and data that the tests of the engine train."""
from types import SimpleNamespace
from typing import Any, Dict, List, Optional

import numpy as np
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmocr.registry import DATASETS, EVALUATOR, METRICS, MODELS
from torch import Tensor, nn
from torch.utils.data import Dataset

import lmim.engine  # noqa: F401
from lmim.datasets.transforms.seed import SetSampleSeed


@DATASETS.register_module()
class DummyVectors(Dataset):
    """Fixed vectors plus noise that the sample's seed decides on."""

    def __init__(self,
                 length: int = 32,
                 noise: float = 0.1,
                 bad: int = -1,
                 ann_file: str = '') -> None:
        self.vectors = torch.randn(
            length, 4, generator=torch.Generator().manual_seed(1))
        if bad >= 0:
            self.vectors[bad] = float('nan')
        self.noise = noise
        self.seed = SetSampleSeed()
        self.loaded: List[int] = []
        self.metainfo = dict(name='dummy')

    def full_init(self) -> None:
        """Asked for by ConcatDataset."""

    def __len__(self) -> int:
        return len(self.vectors)

    def __getitem__(self, index: int) -> Dict[str, Any]:
        self.loaded.append(index)
        self.seed(dict(sample_idx=index))
        noise = torch.from_numpy(np.random.randn(4)).float()
        return dict(
            inputs=self.vectors[index] + self.noise * noise,
            data_samples=index)

    def describe(self, index: int) -> str:
        return f'vectors.lmdb image-{index + 1:09d}'


@MODELS.register_module()
class DummyModel(BaseModel):
    """Two layers, dropout, and a mask of which processes share one draw."""

    def __init__(self, dropout: float = 0.2, width: int = 8) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(4, width), nn.LayerNorm(width), nn.Dropout(dropout),
            nn.Linear(width, 4))
        self.seeds: List[tuple] = []

    def seed_masks(self, seed: int, rank: int, world_size: int) -> None:
        self.seeds.append((seed, rank, world_size))

    def forward(self,
                inputs: Tensor,
                data_samples: Any = None,
                mode: str = 'tensor') -> Any:
        """inputs: shape (N, 4)."""
        if mode == 'predict':
            return self.layers(inputs).unbind()
        keep = torch.ones(len(inputs), 1)
        if self.seeds:
            seed, rank, world = self.seeds[-1]
            draw = torch.rand(
                len(inputs) * world,
                1,
                generator=torch.Generator().manual_seed(seed))
            # Both values weigh something, so that every batch has a loss.
            keep = 0.5 + (draw[rank::world] > 0.5).float()
        out = self.layers(inputs)
        self.dtype = out.dtype
        return dict(loss_recon=(keep * (out.float() - inputs)**2).mean())


@METRICS.register_module()
class DummyMetric(BaseMetric):
    """Scores that a test writes down beforehand."""

    scores: List[float] = []

    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results.append(0)

    def compute_metrics(self, results: list) -> Dict[str, float]:
        return dict(acc=DummyMetric.scores.pop(0))


def make_cfg(work_dir: Any,
             name: str = 'run',
             loop: str = 'ResumableEpochLoop',
             batch_size: int = 8,
             num_workers: int = 0,
             length: int = 32,
             epochs: int = 2,
             accumulate: int = 1,
             dataset: Optional[dict] = None,
             model: Optional[dict] = None,
             hooks: Optional[dict] = None,
             **checkpoint: Any) -> Config:
    """A whole config: 2 epochs of 4 iterations unless told otherwise."""
    checkpoint = dict(
        dict(type='SafeCheckpointHook', by_epoch=False, interval=1),
        **checkpoint)
    cfg = dict(
        default_scope='mmocr',
        custom_imports=dict(imports=['lmim', 'engine_dummies']),
        launcher='none',
        work_dir=str(work_dir),
        # Runs of the same name would share MMEngine's message hub.
        experiment_name=f'{work_dir}-{name}'.replace('/', '_'),
        model=dict(dict(type='DummyModel'), **(model or {})),
        train_dataloader=dict(
            batch_size=batch_size,
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
            sampler=dict(type='DefaultSampler', shuffle=True),
            collate_fn=dict(type='default_collate'),
            dataset=dict(
                dict(type='DummyVectors', length=length), **(dataset or {}))),
        train_cfg=dict(type=loop, max_epochs=epochs),
        optim_wrapper=dict(
            type='OptimWrapper',
            accumulative_counts=accumulate,
            optimizer=dict(type='AdamW', lr=1e-2, weight_decay=0.05)),
        param_scheduler=[
            dict(
                type='LinearLR',
                start_factor=1e-3,
                end=1,
                convert_to_iter_based=True),
            dict(
                type='CosineAnnealingLR', begin=1, convert_to_iter_based=True)
        ],
        default_hooks=dict(
            dict(
                logger=dict(type='LoggerHook', interval=1),
                checkpoint=checkpoint,
                step_seed=dict(type='StepSeedHook'),
                loss_check=dict(type='LossCheckHook'),
                checkpoint_guard=dict(type='CheckpointGuardHook'),
                train_info=dict(type='TrainInfoHook')), **(hooks or {})),
        visualizer=dict(
            type='Visualizer', vis_backends=[dict(type='LocalVisBackend')]),
        randomness=dict(seed=0),
        resume=False,
        load_from=None)
    return Config(cfg)


def with_val(cfg: Config, scores: List[float]) -> Config:
    """Add a validation after each epoch that gives these scores."""
    DummyMetric.scores = list(scores)
    cfg.val_dataloader = dict(
        cfg.train_dataloader,
        sampler=dict(type='DefaultSampler', shuffle=False))
    cfg.val_cfg = dict(type='ValLoop')
    cfg.val_evaluator = dict(type='DummyMetric')
    return cfg


def train(cfg: Config) -> Runner:
    """Train to the end."""
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def resumed(cfg: Config, checkpoint: Any) -> Config:
    """The same run, going on from a checkpoint."""
    cfg.resume, cfg.load_from = True, str(checkpoint)
    return cfg


def weights(source: Any) -> Dict[str, Tensor]:
    """The weights of a runner, or of a checkpoint file."""
    if isinstance(source, Runner):
        model = source.model
        return (getattr(model, 'module', model)).state_dict()
    return torch.load(source, map_location='cpu')['state_dict']


def assert_equal(one: Any, other: Any) -> None:
    """Every bit of the weights is the same."""
    one, other = weights(one), weights(other)
    assert one.keys() == other.keys() and len(one) == 6
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


def validated(*prefixes: str) -> Any:
    """A runner that validates words, of sets of these names."""
    metrics = [dict(type='UnicodeWordMetric'), dict(type='OneMinusNEDMetric')]
    cfg = dict(metrics=metrics, _scope_='mmocr')
    if prefixes:
        cfg.update(type='BenchmarkEvaluator', dataset_prefixes=prefixes)
    evaluator = EVALUATOR.build(dict(dict(type='Evaluator'), **cfg))
    return SimpleNamespace(
        val_loop=SimpleNamespace(evaluator=evaluator),
        logger=SimpleNamespace(info=print))
