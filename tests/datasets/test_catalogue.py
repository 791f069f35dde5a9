"""The known data sets, as the configs have them, and the data root."""
from pathlib import Path

import pytest

from lmim.datasets.known_sets import read_catalogue

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


def test_what_is_no_catalogue_is_refused(configs: Path,
                                         tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match='--configs DIR'):
        read_catalogue(str(tmp_path))
    path = configs / '_base_/datasets/words.py'
    path.write_text(WORDS.replace('words_textrecog_test', 'words_of_mine'))
    with pytest.raises(ValueError, match='words_of_mine does not say'):
        read_catalogue(str(configs))
