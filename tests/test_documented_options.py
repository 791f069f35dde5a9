"""The options that the documents list: each exists, with this default."""
import inspect
import re
from typing import Any

import pytest
from mmengine.config import Config, DictAction
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmocr.registry import HOOKS, MODELS, TRANSFORMS

from lmim.datasets import TextImageDataset
from tests.documents import REPO, table_rows

RECOGNIZER = (REPO / 'configs/textrecog/transformer' /
              'transformer_vit-small_8xb64-10e_union14m-l.py')
PRETRAINING = (REPO / 'configs/pretrain/lmim' /
               'lmim_vit-small_8xb64-10e_union14m-u.py')
#: Not named in the configs: what the components take by themselves.
OWN = ('model.neck.pos_embed', 'model.backbone.pos_embed',
       'model.decoder.beam_width', 'model.decoder.module_loss.on_unknown',
       'model.decoder.module_loss.label_smoothing',
       'train_dataloader.dataset.max_unreadable',
       'optim_wrapper.accumulative_counts',
       'default_hooks.checkpoint.by_epoch', 'model.backbone.with_cp',
       'default_hooks.pictures.enable', 'default_hooks.pictures.interval',
       'default_hooks.representation.interval',
       'default_hooks.representation.stop')


def test_every_ablation_is_an_option() -> None:
    rows = table_rows(REPO / 'docs/model_zoo.md', 'Ablations')
    mini = REPO / 'configs/pretrain/lmim/lmim_vit-mini_1xb64_rendered.py'
    published = Config.fromfile(
        REPO / 'configs/pretrain/lmim' /
        'lmim_vit-small_8xb64-5e_book32-openimages.py')
    for _, option, _ in rows:
        settings = dict(pair.split('=') for code in re.findall('`(.+?)`',
                                                               option)
                        for pair in code.split())
        cfg = Config.fromfile(mini)
        for key, value in settings.items():
            value = DictAction._parse_iterable(value)
            assert _get(published, key) is not None, key
            if 'default' in option:
                assert _get(published, key) == value, option
            cfg.merge_from_dict({key: value})
            assert _get(cfg, key) == value
        if settings:
            MODELS.build(cfg.model)
            for transform in cfg.train_dataloader.dataset.pipeline:
                TRANSFORMS.build(transform)


def test_every_option_of_finetuning_is_one() -> None:
    """It is set, and the parts that it is of can be built with it."""
    for _, option, default in table_rows(REPO / 'docs/finetune.md',
                                         'Options'):
        cfg = Config.fromfile(RECOGNIZER)
        code = re.findall('`(.+?)`', option)[0]
        if ' = ' in code:  # of a config
            scope: dict = {}
            exec(code, scope)
            HOOKS.build(scope['custom_hooks'][0])
            continue
        key, text = code.split('=')
        before = _get(cfg, key)
        value = DictAction._parse_iterable(text)
        # Not named in the config: then it is the component's own default.
        assert before is None or str(before) == default, key
        cfg.merge_from_dict({key: value})
        assert _get(cfg, key) == value != before
        build(cfg)


@pytest.mark.parametrize('heading', ['Model', 'Data', 'Training'])
def test_every_option_is_one(heading: str) -> None:
    """It has this default, and what it is of takes another value."""
    configs = {'P': Config.fromfile(PRETRAINING),
               'R': Config.fromfile(RECOGNIZER)}
    for option, runs, default, what in table_rows(REPO / 'docs/configs.md',
                                                  heading):
        key = option.strip('`')
        plain = re.fullmatch(r'`?([\w.-]+)`?(?:, ([\w.-]+))?', default)
        told = [text for text in plain.groups() if text] if plain else []
        for number, run in enumerate(runs.split(', ')):
            before = _get(configs[run], key)
            if before is None:  # the component's own default
                assert default == 'none' or key in OWN, key
            elif told:
                assert before == DictAction._parse_iterable(
                    told[min(number, len(told) - 1)]), key
            other = re.findall('`([^`=]+)`', what)
            value: Any = 1
            if re.fullmatch('`.*`', default) or default == 'none' and other:
                value = other[0]
            elif before is not None:
                continue
            configs[run].merge_from_dict({key: value})
            assert _get(configs[run], key) == value
    for cfg in configs.values():
        build(cfg)


def build(cfg: Config) -> None:
    """Build what the settings of a run are of, but for its pictures."""
    dataset = cfg.train_dataloader.dataset
    names = set(inspect.signature(TextImageDataset).parameters)
    for each in dataset.get('datasets', [dataset]):
        assert set(each) - {'type'} <= names, each
    with DefaultScope.overwrite_default_scope('mmocr'):
        build_optim_wrapper(MODELS.build(cfg.model), cfg.optim_wrapper)
        for transform in dataset.pipeline:
            TRANSFORMS.build(transform)
        for name in ('checkpoint', 'logger', 'benchmark', 'pictures',
                     'representation'):
            HOOKS.build(cfg.default_hooks[name])


def _get(cfg: Any, key: str) -> Any:
    """A setting by its dotted name, None where there is none."""
    for part in key.split('.'):
        if cfg is None:
            return None
        cfg = cfg[int(part)] if part.isdigit() else cfg.get(part)
    return cfg
