"""Widths of a config's encoder, and what follows from them."""
import pickle
from pathlib import Path

import cv2
import pytest
from mmengine.config import Config

from lmim.apis.preprocessing import find_pipeline
from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.engine.config_fitting import fit_config
from lmim.engine.widths import set_widths
from lmim.utils.errors import UserError
from tests.apis.conftest import draw, write_checkpoint
from tests.tool_runs import mini_config, run_tool, small_loader

RESCALE = dict(type='RescaleToHeight', height=32, min_width=64, max_width=384,
               width_divisor=4)


@pytest.fixture
def cfg() -> Config:
    return Config.fromfile(mini_config('textrecog/ctc'))


def test_pipelines_and_batches_follow_the_encoder(cfg: Config) -> None:
    before = cfg.train_dataloader.to_dict()
    cfg.model.backbone.vit.widths = (64, 384)
    fit_config(cfg)
    assert cfg.model.type == 'AnyWidthRecognizer'
    for pipeline in (cfg.test_dataloader.dataset.pipeline,
                     cfg.val_dataloader.dataset.pipeline, cfg.test_pipeline):
        assert dict(pipeline[1]) == RESCALE
    turned = cfg.tta_pipeline[0].transforms
    assert [dict(steps[0]) for steps in turned].count(RESCALE) == 1
    assert cfg.train_dataloader.to_dict() == before


def test_a_config_without_widths_stays_as_it_is(cfg: Config) -> None:
    before = cfg.to_dict()
    fit_config(cfg)
    assert cfg.to_dict() == before


def test_widths_are_set_and_set_again(cfg: Config) -> None:
    for width, expected in (('auto', (128, 384)), ('64-384', (64, 384)),
                            ('auto', (64, 384)), ('128', (128, 128))):
        set_widths(cfg, width)
        step = cfg.test_dataloader.dataset.pipeline[1]
        assert cfg.model.backbone.vit.widths == expected
        assert (step.min_width, step.max_width) == expected


def test_a_resize_keeps_how_it_resizes(cfg: Config) -> None:
    cfg.test_dataloader.dataset.pipeline[1].interpolation = 'area'
    set_widths(cfg, '64-384')
    assert dict(cfg.test_dataloader.dataset.pipeline[1]) == dict(
        RESCALE, interpolation='area')


def test_without_a_pipeline_the_encoder_tells_it() -> None:
    cfg = dict(model=dict(backbone=dict(
        type='TextViT', img_size=(32, 128), widths=(64, 384))))
    assert find_pipeline(cfg)[0] == RESCALE  # type: ignore[index]


def test_what_cannot_be_changed_is_refused(cfg: Config) -> None:
    with pytest.raises(UserError, match='the backbone of this config is'):
        set_widths(dict(model=dict(backbone=dict(type='ResNet31OCR'))), '64')
    for name in ('test_dataloader', 'val_dataloader'):
        cfg[name].dataset.pipeline[1].scale = (100, 32)
    cfg.pop('test_pipeline')
    cfg.pop('tta_pipeline')
    with pytest.raises(UserError, match='test pipeline has no dict'):
        set_widths(cfg, 'auto')


def test_the_test_tool_reads_by_width(tmp_path: Path) -> None:
    words = ['a', 'seven', 'x' * 20, 'nine', 'y' * 14]
    with LMDBWriter(tmp_path / 'test.lmdb') as writer:
        for word in words:
            writer.add(cv2.imencode('.png', draw(word))[1].tobytes(), word)
    config = mini_config('textrecog/ctc')
    checkpoint = write_checkpoint(tmp_path / 'model.pth', config)
    read = []
    for batch_size in (1, 5):
        done = run_tool(
            'test.py', tmp_path, config, checkpoint, '--width', '64-384',
            '--save-preds', '--work-dir', tmp_path, options={
                **small_loader('test_dataloader', batch_size),
                'test_dataloader.dataset.data_root': tmp_path})
        assert done.code == 0, done.stderr
        samples = pickle.loads(
            (tmp_path / 'model.pth_predictions.pkl').read_bytes())
        read.append([sample['pred_text'] for sample in samples])
    assert [one['item'] for one in read[0]] == [
        one['item'] for one in read[1]]
    assert len({one['item'] for one in read[0]}) >= 3
    # No other is as wide as these two: the very same numbers.
    for number in (2, 4):
        assert read[0][number]['score'] == read[1][number]['score']
    assert all(sample['img_shape'][0] == 32 for sample in samples)
    assert [sample['img_shape'][1] for sample in samples] == [
        64, 104, 368, 88, 264]
