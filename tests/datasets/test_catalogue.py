"""The known data sets, as the configs have them, and the data root."""
import copy
import os
from pathlib import Path

import pytest

from lmim.datasets.known_sets import (data_root_in_use, read_catalogue,
                                      read_config, spec_paths)

WORDS = """
words_data_root = '{{$LMIM_DATA_ROOT:data}}/words'
words_source = dict(obtain='Write it.')
words_textrecog_test = dict(
    type='TextImageDataset', data_root=words_data_root,
    paths=['a', dict(path='b.json', image_root='.')],
    published=dict(name='Words'))
other = dict(type='SomethingElse')
"""


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    """A folder `configs` with one set."""
    folder = tmp_path / 'configs/_base_/datasets'
    folder.mkdir(parents=True)
    (folder / 'words.py').write_text(WORDS)
    return tmp_path / 'configs'


def test_settings_name_each_path() -> None:
    assert list(spec_paths('x', 'root')) == [('paths', 'root/x')]
    assert list(spec_paths(dict(path='x', labels='/y'), 'root')) == [
        ('paths.path', 'root/x'), ('paths.labels', '/y')]
    assert list(spec_paths(['x', dict(path='y', image_root='z')], 'r')) == [
        ('paths', 'r/x'), ('paths.1.path', 'r/y'),
        ('paths.1.image_root', 'r/z')]


def test_sets_are_read_from_the_configs(configs: Path, tmp_path: Path) -> None:
    root = tmp_path / 'data root'
    known = read_catalogue(str(configs), str(root))
    assert len(known) == 1
    words = known[0]
    assert words.names == ['Words', 'words_textrecog_test', 'words']
    assert words.kind == 'test' and words.source == dict(obtain='Write it.')
    # The place of the images is needed, and is not where the set lies.
    assert words.paths == [f'{root}/words/a', f'{root}/words/b.json']
    assert words.missing == [*words.paths, f'{root}/words/.']
    assert words.there == 'no'
    (root / 'words/a').mkdir(parents=True)
    assert words.missing == words.paths[1:] and words.there == 'in part'
    (root / 'words/b.json').touch()
    assert words.there == 'yes'


def test_the_data_root_given_comes_before_the_environments(
        configs: Path, monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture) -> None:
    path = str(configs / '_base_/datasets/words.py')
    monkeypatch.setenv('LMIM_DATA_ROOT', '/env')
    assert read_config(path).words_data_root == '/env/words'
    assert read_config(path, '/given').words_data_root == '/given/words'
    assert os.environ['LMIM_DATA_ROOT'] == '/env'
    assert (data_root_in_use('/given'), data_root_in_use()) == (
        '/given', '/env')
    monkeypatch.delenv('LMIM_DATA_ROOT')
    assert read_config(path, '/given').words_data_root == '/given/words'
    assert 'LMIM_DATA_ROOT' not in os.environ
    assert read_config(path).words_data_root == f'{data_root_in_use()}/words'
    monkeypatch.setenv('LMIM_DATA_ROOT', '')
    assert read_config(path).words_data_root == 'data/words'
    # A tool's standard output is for its result.
    assert capfd.readouterr().out == ''


def test_what_is_no_catalogue_is_refused(configs: Path,
                                         tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match='--configs DIR'):
        read_catalogue(str(tmp_path))
    path = configs / '_base_/datasets/words.py'
    path.write_text(WORDS.replace('words_textrecog_test', 'words_of_mine'))
    with pytest.raises(ValueError, match='words_of_mine does not say'):
        read_catalogue(str(configs))


def test_configs_are_dumped_without_being_laid_out(
        configs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes longer than all that a recognizer does before training."""

    def fail(*args: object, **kwargs: object) -> None:
        raise AssertionError('yapf was called')

    monkeypatch.setattr('mmengine.config.config.FormatCode', fail)
    cfg = read_config(str(configs / '_base_/datasets/words.py'))
    cfg = copy.deepcopy(cfg)
    cfg.dump(tmp_path / 'dumped.py')
    again = read_config(str(tmp_path / 'dumped.py'))
    assert again.to_dict() == cfg.to_dict()
