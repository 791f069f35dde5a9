"""Settings that nothing reads, and settings that follow from others."""
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest
from engine_dummies import make_cfg
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope

from lmim.datasets.known_sets import read_config
from lmim.engine import config_fitting
from lmim.engine.channels import check_channels
from lmim.engine.config_checks import (
    check_components,
    check_file,
    merge_options,
)
from lmim.engine.config_fitting import fit_config, fit_schedule
from lmim.engine.widths import find_vit
from lmim.utils.errors import UserError
from tests.tool_runs import REPO, mini_config

LINEAR = dict(type='LinearLR', start_factor=1e-3, end=1,
              convert_to_iter_based=True)
COSINE = dict(type='CosineAnnealingLR', begin=1, convert_to_iter_based=True)


@pytest.fixture(scope='module')
def text() -> str:
    return str(mini_config('textrecog/transformer'))


@pytest.fixture
def cfg(text: str) -> Config:
    init_default_scope('mmocr')
    return read_config(text)


@pytest.mark.parametrize('option, told', [
    ('train_dataloder.batch_size', 'do you mean train_dataloader.batch_size?'),
    ('lr', 'today that is optim_wrapper.optimizer.lr'),
    ('data.samples_per_gpu', 'today that is train_dataloader.batch_size'),
    ('data.workers_per_gpu', 'today that is train_dataloader.num_workers'),
    ('total_epochs', 'today that is train_cfg.max_epochs'),
    ('lr_config.policy', 'today that is param_scheduler'),
    ('optimizer.type', 'today that is optim_wrapper.optimizer'),
    ('optimizer_config.grad_clip.max_norm', 'is optim_wrapper.clip_grad'),
    ('evaluation.interval', 'today that is train_cfg.val_interval'),
    ('checkpoint_config.interval', 'today that is default_hooks.checkpoint'),
    ('log_config.interval', 'today that is default_hooks.logger.interval'),
    ('max_seq_len', 'do you mean model.decoder.max_seq_len?'),
    ('modle.decoder.max_seq_len', 'do you mean model.decoder.max_seq_len?'),
    ('wholly_unknown', 'wholly_unknown'),
    # Below what is known.
    ('train_dataloader.batchsize', 'do you mean batch_size?'),
    ('train_dataloader.dataset.data_rot', 'do you mean data_root?'),
    ('train_dataloader.sampler.shufle', 'do you mean shuffle?'),
    ('train_cfg.max_epoch', 'do you mean max_epochs?'),
    ('model.decodr.max_seq_len', 'do you mean decoder?'),
    ('model.decoder.max_seqlen', 'do you mean max_seq_len?'),
    ('model.backbone.img_sise', 'do you mean img_size?'),
    ('optim_wrapper.clip_gradd.max_norm', 'do you mean clip_grad?'),
    ('optim_wrapper.optimizer.weight_deca', 'do you mean weight_decay?'),
    ('default_hooks.checkpiont.interval', 'default_hooks.checkpoint?'),
    ('default_hooks.checkpoint.max_keep', 'do you mean max_keep_ckpts?'),
    ('env_cfg.cudnn_benchmrk', 'do you mean cudnn_benchmark?'),
    ('randomness.sed', 'do you mean seed?'),
    ('param_scheduler.0.start_facto', 'do you mean start_factor?'),
    ('val_evaluator.metric', 'do you mean metrics?'),
    ('model.label_convertor.dict_type', 'is model.decoder.dictionary'),
    ('model.decoder.refinement.coverge', 'do you mean coverage?'),
])
def test_options_that_nothing_reads_are_refused(
        cfg: Config, option: str, told: str) -> None:
    with pytest.raises(UserError) as error:
        merge_options(cfg, {option: 1})
        check_components(cfg, [option])
    assert told in str(error.value)


@pytest.mark.parametrize('option, value', [
    ('train_dataloader.batch_size', 2), ('find_unused_parameters', True),
    ('compile', True), ('compile.backend', 'eager'), ('sync_bn', 'torch'),
    ('randomness.deterministic', True), ('experiment_name', 'x'),
    ('default_hooks.early_stopping.type', 'EarlyStoppingHook'),
    ('default_hooks.visualization', None), ('model.backbone.init_cfg', None),
    ('model.backbone.drop_path_rate', 0.1), ('custom_hooks.0.type', 'x'),
    ('optim_wrapper.accumulative_counts', 2), ('env_cfg.resource_limit', 8192),
    ('optim_wrapper.clip_grad.norm_type', 2),
    ('optim_wrapper.paramwise_cfg.custom_keys.backbone.lr_mult', 0.1),
    ('model_wrapper_cfg.type', 'MMDistributedDataParallel'),
    ('train_dataloader.dataset.pipeline.0.type', 'SetSampleSeed'),
    ('train_dataloader.prefetch_factor', 4), ('train_cfg.val_begin', 2),
])
def test_settings_that_are_read_pass(cfg: Config, option: str,
                                     value: Any) -> None:
    cfg.custom_hooks = [dict(type='EMAHook')]
    merge_options(cfg, {option: value})
    check_components(cfg, [option])


@pytest.mark.parametrize('option, value, found', [
    ('model.backbone.init_cfg', None, None),
    ('model.backbone.init_cfg.checkpoint', 'a.pth',
     dict(type='Pretrained', checkpoint='a.pth')),
    ('model.backbone.vit.init_cfg', None, None)])
def test_the_encoder_behind_a_feature_map_goes_by_the_same_name(
        option: str, value: Any, found: Any) -> None:
    cfg = Config.fromfile(mini_config('textrecog/ctc'))
    merge_options(cfg, {option: value})
    assert cfg.model.backbone.vit.init_cfg == found
    assert 'init_cfg' not in cfg.model.backbone


def test_an_option_that_does_not_fit_is_named(cfg: Config) -> None:
    with pytest.raises(UserError, match='train_dataloader.dataset.pipeline'):
        merge_options(cfg, {'train_dataloader.dataset.pipeline.9.scale': 1})


@pytest.mark.parametrize('line, told', [
    ('train_dataloder = dict(batch_size=2)', 'mean train_dataloader?'),
    ('default_hook = dict()', 'do you mean default_hooks?'),
    ('total_epochs = 3', 'line 2: today that is train_cfg.max_epochs'),
    ('lr_config = dict(policy=0)', 'today that is param_scheduler'),
    ('data = dict(samples_per_gpu=2)', 'train_dataloader, val_dataloader'),
    # Variables of the file's own.
    ('total_epochs = 3\ntrain_cfg = dict(max_epochs=total_epochs)', None),
    ('my_words = "a"', None), ('train_list = []', None),
    ('optimizer = dict(lr=1)\noptim_wrapper = dict(optimizer=optimizer)',
     None),
])
def test_settings_of_a_file(tmp_path: Path, line: str,
                            told: Optional[str]) -> None:
    path = tmp_path / 'own.py'
    path.write_text(f"_base_ = 'base.py'\n{line}\n")
    if told is None:
        check_file(str(path))
        return
    with pytest.raises(UserError) as error:
        check_file(str(path))
    assert told in str(error.value)


def test_every_config_passes() -> None:
    init_default_scope('mmocr')
    paths = sorted((REPO / 'configs').glob('*/*/*vit-mini*.py'))
    assert len(paths) > 15
    for path in paths:
        check_file(str(path))
        check_components(read_config(str(path)))


@pytest.mark.parametrize('above', [
    'import os', 'import os.path as osp\nimport sys', 'import torch',
    'from mmengine.config import read_base', 'from pathlib import Path',
    'from functools import partial'])
def test_imports_above_the_base(tmp_path: Path, above: str) -> None:
    (tmp_path / 'base.py').write_text('import math\nsize = dict(a=1, b=2)\n')
    path = tmp_path / 'own.py'
    path.write_text(f"{above}\n_base_ = 'base.py'\nsize = dict(b=3)\n")
    assert read_config(str(path)).to_dict() == dict(size=dict(a=1, b=3))


def test_a_file_that_is_no_python_is_named(tmp_path: Path) -> None:
    path = tmp_path / 'own.py'
    path.write_text('a = 1\nmodel = dict(\n')
    with pytest.raises(UserError, match=r'own.py cannot be read .* line 2'):
        read_config(str(path))


def _fitted(cfg: Dict[str, Any]) -> Config:
    config = Config(cfg, format_python_code=False)
    init_default_scope('mmocr')
    fit_config(config)
    return config


def test_no_workers_have_nothing_of_workers(tmp_path: Path) -> None:
    cfg = make_cfg(tmp_path, num_workers=1)
    cfg.train_dataloader.update(num_workers=0, prefetch_factor=2,
                                multiprocessing_context='fork')
    loader = _fitted(cfg.to_dict()).train_dataloader
    assert 'persistent_workers' not in loader
    assert 'prefetch_factor' not in loader
    assert 'multiprocessing_context' not in loader
    loader = _fitted(make_cfg(tmp_path, num_workers=1).to_dict(
        )).train_dataloader
    assert loader.persistent_workers is True


@pytest.mark.parametrize('kind, kept', [
    ('SGD', {'lr', 'weight_decay'}), ('Adadelta', {'lr', 'weight_decay'}),
    ('AdamW', {'lr', 'weight_decay', 'betas'})])
def test_arguments_of_another_optimizer_are_left_out(kind: str,
                                                     kept: set) -> None:
    cfg = _fitted(dict(optim_wrapper=dict(type='OptimWrapper', optimizer=dict(
        type=kind, lr=1., betas=(0.9, 0.95), weight_decay=0.05))))
    assert set(cfg.optim_wrapper.optimizer) == {'type', *kept}


def test_a_typo_is_not_taken_for_another_optimizers() -> None:
    cfg = _fitted(dict(optim_wrapper=dict(type='OptimWrapper', optimizer=dict(
        type='SGD', lr=1., momentun=0.9))))
    with pytest.raises(UserError, match='do you mean momentum'):
        check_components(cfg)


def _schedule(*schedulers: dict) -> List[ConfigDict]:
    return [ConfigDict(one) for one in schedulers]


@pytest.mark.parametrize('epochs, length, warm_up', [
    (10, 100, 1), (2, 4, 1), (1, 100, 0.1), (1, 20, 0.1), (1, 19, None),
    (1, 1, None), (5, 1, None)])
def test_warm_up_fits_the_training(epochs: int, length: int,
                                   warm_up: Optional[float]) -> None:
    given = _schedule(LINEAR, COSINE)
    fitted = fit_schedule(given, epochs, length)
    assert given == _schedule(LINEAR, COSINE)
    if warm_up is None:
        assert fitted == [dict(COSINE, begin=0)]
    else:
        assert fitted == [dict(LINEAR, end=warm_up),
                          dict(COSINE, begin=warm_up)]


def test_a_schedule_by_epoch_that_is_too_long_is_told() -> None:
    late = dict(type='CosineAnnealingLR', begin=5)
    with pytest.raises(UserError, match='begins at epoch 5, and training '
                                        'ends after 3'):
        fit_schedule(_schedule(late), 3, 10)


def test_a_loop_of_iterations(tmp_path: Path) -> None:
    cfg = make_cfg(tmp_path)
    cfg.default_hooks.checkpoint = dict(type='SafeCheckpointHook', interval=1)
    cfg.log_processor = dict(type='LogProcessor', by_epoch=True)
    cfg.train_cfg.update(type='IterBasedTrainLoop', max_iters=50,
                         val_interval=5)
    fitted = _fitted(cfg.to_dict())
    assert fitted.train_cfg == dict(type='IterBasedTrainLoop', max_iters=50,
                                    val_interval=5)
    assert fitted.param_scheduler == [
        dict(type='LinearLR', start_factor=1e-3, by_epoch=False, begin=0,
             end=5),
        dict(type='CosineAnnealingLR', by_epoch=False, begin=5, end=50)]
    assert fitted.default_hooks.checkpoint == dict(
        type='SafeCheckpointHook', by_epoch=False, interval=5)
    assert fitted.log_processor.by_epoch is False


@pytest.mark.parametrize('change, told', [
    (dict(train_cfg=dict(type='IterBasedTrainLoop')), 'needs the number'),
    (dict(train_cfg=dict(type='ResumableEpochLoop', max_iters=5)),
     'train_cfg.type=IterBasedTrainLoop'),
    (dict(train_cfg=dict(type='IterBasedTrainLoop', max_iters=5),
          param_scheduler=dict(type='MultiStepLR', milestones=[3])),
     'MultiStepLR that counts epochs'),
    (dict(visualizer=dict(vis_backends=[dict(type='WandbVisBackend')])),
     'pip install wandb'),
    (dict(visualizer=dict(vis_backends=['dict(type="X")'])),
     'visualizer.vis_backends is a list of dict(type=...)'),
    (dict(custom_hooks={'0': dict(foo=1)}), 'custom_hooks is a list of dict'),
    (dict(train_dataloader=dict(batch_size=0)),
     'train_dataloader.batch_size=0: give a whole number from 1 on'),
    (dict(val_dataloader=dict(num_workers='two')),
     "val_dataloader.num_workers='two': give a whole number from 0 on"),
    (dict(train_cfg=dict(max_epochs=0)), 'train_cfg.max_epochs=0: give'),
    (dict(optim_wrapper=dict(optimizer=dict(type='AdmW'))),
     'optim_wrapper.optimizer.type=AdmW: there is no such optimizer; do you '
     'mean AdamW?'),
    (dict(model=dict(dictionary=dict(dict_file='nothere.txt'))),
     'dict_file=nothere.txt does not exist'),
])
def test_what_cannot_be_made_to_fit_is_told(
        change: dict, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_fitting.importlib.util, 'find_spec',
                        lambda name: None)
    with pytest.raises(UserError) as error:
        _fitted(change)
    assert told in str(error.value)


@pytest.mark.parametrize('content, told', [
    ('a\nb\na\n', r"dict.txt .* there twice: \['a'\]"),
    ('a\nกั\n', "dict.txt .*line 2 holds 'กั'"),
    ('', 'dict.txt is empty'),
])
def test_a_dictionary_is_checked(tmp_path: Path, content: str,
                                 told: str) -> None:
    path = tmp_path / 'dict.txt'
    path.write_text(content, encoding='utf-8')
    with pytest.raises(UserError, match=told):
        _fitted(dict(model=dict(dictionary=dict(dict_file=str(path)))))


def test_a_byte_order_mark_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / 'dict.txt'
    path.write_bytes(b'\xef\xbb\xbfa\r\n \r\nb\r\n')
    cfg = _fitted(dict(work_dir=str(tmp_path / 'run'), model=dict(
        dictionary=dict(dict_file=str(path)))))
    copy = Path(cfg.model.dictionary.dict_file)
    assert copy == tmp_path / 'run' / 'dict.txt'
    assert copy.read_bytes() == b'a\n \nb\n'


@pytest.mark.parametrize('folder, place', [
    ('svtr', 'encoder.in_channels'), ('transformer', 'encoder.in_dims'),
    ('ctc', 'decoder.in_channels')])
def test_channels_of_a_recognizer_are_those_of_its_encoder(
        folder: str, place: str) -> None:
    cfg = read_config(str(mini_config(f'textrecog/{folder}')))
    vit = find_vit(cfg.model)
    assert vit is not None
    check_channels(cfg)
    vit.update(type='ContentViT', padded=True)
    check_channels(cfg)
    for changes, channels, more in (
            (dict(padded=False), 64, 'padded=True'),
            (dict(padded=True, arch='small'), 384, ''),
            (dict(arch=dict(embed_dims=32), type='TextViT'), 32, '')):
        vit.update(changes)
        with pytest.raises(UserError, match=f'gives {channels} channels.*set '
                           f'model.{place}={channels}.*{more}'):
            check_channels(cfg)
