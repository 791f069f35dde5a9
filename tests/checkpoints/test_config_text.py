"""The config in a checkpoint is read as data, and never run."""
import pytest
from mmengine.config import Config

from lmim.checkpoints import CheckpointError
from lmim.checkpoints.config_text import (check_types, parse_config,
                                          write_config)


def test_what_mmengine_writes_is_read(repo) -> None:
    one_a_folder = {path.parent: path
                    for path in sorted((repo / 'configs').rglob('*.py'))
                    if not {'_base_', 'comparison'} & set(path.parts)}
    assert len(one_a_folder) >= 8
    for path in one_a_folder.values():
        cfg = Config.fromfile(path)
        config = parse_config(write_config(cfg.to_dict()), str(path))
        assert config == cfg.to_dict(), path
        check_types(config['model'], str(path))


def test_odd_values() -> None:
    odd = {'a b': 1, 'up': float('inf'), 'low': -2.5, 'none': None,
           'nested': {'1x': [dict(q="it's \\n"), (1, )]}, 'empty': {}}
    assert parse_config(write_config(dict(odd=odd)), 'here') == {'odd': odd}
    assert parse_config(Config(dict(odd=odd)).pretty_text,
                        'here') == {'odd': odd}
    assert parse_config('a = {-1, 2}', 'here') == {'a': {-1, 2}}


@pytest.mark.parametrize('text', [
    'import os', 'a = open("x")', 'a = [i for i in (1,)]', 'a = b',
    'print(1)', 'a = dict(**open("x"))', 'a = "x".join([])', 'a, b = 1, 2',
    'a = dict(1)', 'a = -"x"', 'a = {**{}}', 'a = (', '(' * 5000,
    "a = f'{open}'", 'a = dict.fromkeys([1])', 'a = 1 + 1',
])
def test_code_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError, match='in x.pth cannot .* not run'):
        parse_config(text, 'x.pth')


@pytest.mark.parametrize('model', [
    dict(type='os.mkdir', name='made'),
    dict(type='subprocess.Popen'),
    dict(type='MIM', neck=[dict(type='mmengine.fileio.load', file='x')]),
    dict(type='MIM', neck=dict(type='torch.load', f='x')),
    dict(type='mmocr.apis.TextRecInferencer'),
    dict(type='NoSuchModel'),
    dict(type='MIM', head=dict(type=['os.mkdir'])),
])
def test_only_components_are_built(model: dict) -> None:
    with pytest.raises(CheckpointError, match='no registry of models knows'):
        check_types(model, 'x.pth')


def test_only_known_scopes() -> None:
    with pytest.raises(CheckpointError, match="unknown scope 'evil'"):
        check_types(dict(type='MIM', _scope_='evil'), 'x.pth')
    check_types(dict(type='mmpretrain.VisionTransformer', _scope_='mmocr',
                     dictionary=dict(type='Dictionary'),
                     init_cfg=[dict(type='Xavier')]), 'x.pth')
