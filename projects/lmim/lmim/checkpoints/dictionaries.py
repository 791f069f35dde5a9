"""The dictionary of a recognizer, as a checkpoint carries it.

``meta['dictionary']`` holds the characters themselves, in the order of their
classes, beside the options of MMOCR's ``Dictionary`` (``with_end`` ...), so
that a checkpoint can be used where the file of the dictionary is not.
"""
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Union

from mmocr.models.common.dictionary import Dictionary

from .config_text import dicts_in
from lmim.utils.errors import CheckpointError

CHARACTERS = 'characters'


def dictionaries_of(model: Dict[str, Any]) -> List[Dict[str, Any]]:
    """The configs of all dictionaries in the config of a model."""
    return [part for part in dicts_in(model) if 'dict_file' in part]


def read_characters(path: Union[str, Path]) -> List[str]:
    """Read a dictionary file: one character a line.

    Args:
        path (str or Path): The file.

    Returns:
        List[str]: Its characters, in their order.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If it is no dictionary.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'dictionary {path} does not exist')
    try:
        characters = Dictionary(str(path)).dict
    except (AssertionError, ValueError) as error:
        raise CheckpointError(
            f'{path} is no dictionary, which has one character a line, and '
            f'each once: {error}') from error
    if not characters:
        raise CheckpointError(f'dictionary {path} is empty')
    return list(characters)


def write_characters(path: Path, characters: Sequence[str]) -> None:
    """Write a dictionary file."""
    path.write_text('\n'.join(characters), encoding='utf-8')


def describe_dictionary(model: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    """Make the entry of a checkpoint for a model's dictionary.

    Args:
        model (Dict[str, Any]): Config of the model.

    Returns:
        Dict[str, Any], optional: Characters and options; None where the
        model has no dictionary, or its file is not there.
    """
    for part in dictionaries_of(model):
        if Path(part['dict_file']).is_file():
            return with_characters(part, read_characters(part['dict_file']))
    return None


def with_characters(part: Dict[str, Any],
                    characters: Sequence[str]) -> Dict[str, Any]:
    """The entry for a dictionary of these characters.

    Args:
        part (Dict[str, Any]): Its config.
        characters (Sequence[str]): Its characters.

    Returns:
        Dict[str, Any]: Characters and options.
    """
    options = {
        key: value
        for key, value in part.items()
        if key not in ('type', 'dict_file', '_scope_')
    }
    return {CHARACTERS: list(characters), **options}
