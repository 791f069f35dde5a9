"""MMOCR's dictionary files, read and written."""
from pathlib import Path

import pytest
from mmocr.models.common.dictionary import Dictionary

from lmim.checkpoints.dictionaries import (FIRST, in_order, read_dict_file,
                                           write_dict_file)


def test_what_is_written_is_what_mmocr_reads(tmp_path: Path) -> None:
    """The blank and what other programs take for ends of lines come along."""
    characters = in_order(' \t\x0b\x1c\x85\u2028\ufeffb中#Z9é\u0301')
    assert characters == [
        '9', 'b', 'Z', '#', '\t', '\x0b', '\x1c', ' ', '\x85', 'é',
        '\u0301', '\u2028', '中', '\ufeff'
    ]
    path = tmp_path / 'dict.txt'
    write_dict_file(path, characters)
    assert Dictionary(str(path)).dict == characters
    assert read_dict_file(path) == characters
    with pytest.raises(FileExistsError, match='--overwrite'):
        write_dict_file(path, 'ab')
    assert read_dict_file(path) == characters
    write_dict_file(path, 'ab', overwrite=True)
    assert path.read_bytes() == b'a\nb\n'
    assert [other.name for other in tmp_path.iterdir()] == ['dict.txt']


def test_order_is_that_of_our_dictionary(repo: Path) -> None:
    ours = read_dict_file(
        repo / 'projects/lmim/lmim/dicts/english_94.txt')
    assert ours == list(FIRST) == in_order(reversed(FIRST))


def test_a_base_keeps_its_places() -> None:
    assert in_order('zaé9', base='éxz') == ['é', 'x', 'z', '9', 'a']


@pytest.mark.parametrize('content, message', [
    ('a\nb\na\n'.encode(), r"there twice: \['a'\]"),
    ('a\nbc\n'.encode(), "line 2 holds 'bc'"),
    ('\ufeffa\r\nb\r\na\r\n'.encode(), r"there twice: \['a'\]"),
    ('\xe9\n'.encode('latin-1'), 'is not in UTF-8'),
])
def test_what_mmocr_refuses_is_explained(tmp_path: Path, content: bytes,
                                         message: str) -> None:
    path = tmp_path / 'dict.txt'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_dict_file(path)


def test_a_byte_order_mark_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / 'dict.txt'
    path.write_bytes('\ufeffa\r\n \r\né\n'.encode())
    assert read_dict_file(path) == ['a', ' ', 'é']
