"""Settings and paths are what was typed."""
import argparse
import io
import sys
from pathlib import Path
from typing import Any

import pytest
from mmengine.logging import MMLogger

from lmim.utils.log import accept_all_characters
from lmim.utils.options import (SettingAction, expand_arguments, expand_home,
                                parse_setting)


@pytest.mark.parametrize('key, text, value', [
    ('a.paths', 'my words/list.txt', 'my words/list.txt'),
    ('a.paths', '2024', '2024'),
    ('a.paths', 'a,b', ['a', 'b']),
    ('a.paths', "['a b.txt', c d.txt]", ['a b.txt', 'c d.txt']),
    ('a.paths', '[~/a,b]', ['/me/a', 'b']),
    ('work_dir', '2024', '2024'),
    ('work_dir', 'a, b', 'a, b'),
    ('work_dir', '~/x', '/me/x'),
    ('work_dir', '"~/a b"', '/me/a b'),
    ('load_from', 'None', None),
    ('model.text', "it's, so", ["it's", 'so']),
    ('model.text', "'1'", '1'),
    ('model.text', '"a,b"', 'a,b'),
    ('model.text', 'two words', 'two words'),
    ('lr', '1e-5', 1e-5),
    ('n', '4', 4),
    ('flag', 'true', True),
    ('flag', 'None', None),
    ('size', '(32,128)', (32, 128)),
    ('size', '[32, 128]', [32, 128]),
    ('size', '[(1,2),(a b,c)]', [(1, 2), ('a b', 'c')]),
    ('size', '[]', []),
])
def test_settings(key: str, text: str, value: Any,
                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('HOME', '/me')
    assert parse_setting(key, text) == value
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=SettingAction)
    args = parser.parse_args(['--cfg-options', f'{key}={text}', 'z=1',
                              '--cfg-options', 'y=a=b'])
    assert args.cfg_options == {key: value, 'z': 1, 'y': 'a=b'}


def test_a_path_with_a_comma_is_one_where_it_exists(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path('a,b').mkdir()
    assert parse_setting('train.paths', 'a,b') == 'a,b'


def test_home_in_configs_and_arguments(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('HOME', '/me')
    cfg = dict(work_dir='~/x', note='~', data=[dict(paths=['~/a', 'b'])])
    assert expand_home(cfg) == dict(
        work_dir='/me/x', note='~',
        data=[dict(paths=['/me/a', 'b'])])
    args = expand_arguments(argparse.Namespace(
        out=Path('~/o'), work_dir='~/w', images=['~/a', 'b'], number=3))
    assert vars(args) == dict(out=Path('/me/o'), work_dir='/me/w',
                              images=['/me/a', 'b'], number=3)


def test_streams_take_what_their_encoding_lacks(
        monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, 'stdout', io.TextIOWrapper(raw, 'ascii'))
    accept_all_characters()
    print('Gr\u00f6\u00dfe \u5b57', flush=True)
    assert raw.getvalue() == b'Gr\\xf6\\xdfe \\u5b57\n'


def test_log_files_take_what_the_locale_lacks(tmp_path: Path) -> None:
    accept_all_characters()
    path = tmp_path / 'run.log'
    logger = MMLogger('any locale', log_file=str(path))
    assert logger.handlers[-1].encoding == 'utf-8'
    logger.info('\u5b57 \udce5')
    logger.handlers[-1].close()
    assert path.read_text(encoding='utf-8').endswith('\u5b57 \\udce5\n')
