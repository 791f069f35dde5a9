"""Options as they were typed: settings of a config, and paths."""
import argparse
import os
import os.path as osp
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Union

from mmengine.config import DictAction

#: Last names of settings that are paths: kept as text, whatever it looks like.
PATHS = frozenset([
    'work_dir', 'data_root', 'paths', 'path', 'labels', 'image_root',
    'dict_file', 'ann_file', 'img_path', 'load_from', 'checkpoint', 'words',
    'save_dir', 'out_dir', 'out_file_path', 'filename', 'file'])


class SettingAction(DictAction):
    """MMEngine's ``KEY=VALUE``, with paths and quoted text kept as typed.

    MMEngine deletes the blanks of values, makes lists at every comma and
    numbers of names. Here a blank stays, ``~`` at the beginning of a path is
    the home folder, and text in quotation marks is text. A path with a comma
    is one path where it exists, or where its setting takes one only.
    """

    def __call__(self, parser: argparse.ArgumentParser,
                 namespace: argparse.Namespace,
                 values: Union[str, Sequence[Any], None],
                 option_string: Optional[str] = None) -> None:
        """Add settings to those of the option so far."""
        settings: Dict[str, Any] = dict(
            getattr(namespace, self.dest, None) or {})
        for value in values or ():
            key, equals, text = str(value).partition('=')
            if not equals:
                parser.error(f'{option_string}: {value!r} is not KEY=VALUE '
                             '(a value with blanks needs quotation marks)')
            settings[key] = parse_setting(key, text)
        setattr(namespace, self.dest, settings)


def parse_setting(key: str, text: str) -> Any:
    """The value of a setting.

    Args:
        key (str): Its name, such as ``train_dataloader.dataset.paths``.
        text (str): What was typed.
    """
    name = key.rpartition('.')[2]
    path = name in PATHS
    if path and ',' in text and text.strip()[:1] not in ('[', '(', '"', "'"):
        if name != 'paths' or osp.exists(osp.expanduser(text)):
            return osp.expanduser(text)
    return _parse(text, path)


def _parse(text: str, path: bool) -> Any:
    text = text.strip()
    ends = text[:1] + text[-1:]
    if ends in ('""', "''") and len(text) > 1 and text[0] not in text[1:-1]:
        return osp.expanduser(text[1:-1]) if path else text[1:-1]
    parts = _split(text)
    if ends in ('[]', '()') and len(parts) == 1:
        items = [_parse(part, path) for part in _split(text[1:-1])
                 if part.strip()]
        return tuple(items) if ends == '()' else items
    if len(parts) > 1:
        return [_parse(part, path) for part in parts]
    if path:
        return None if text == 'None' else osp.expanduser(text)
    return DictAction._parse_int_float_bool(text)


def _split(text: str) -> List[str]:
    """Parts between commas that are in no brackets and no quotation marks."""
    parts, depth, quote = [''], 0, ''
    for char in text:
        if quote:
            quote = '' if char == quote else quote
        elif char in '"\'' and not parts[-1].strip(' [('):
            quote = char
        elif char in '[]()':
            depth += 1 if char in '[(' else -1
        if char == ',' and not depth and not quote:
            parts.append('')
        else:
            parts[-1] += char
    return parts


def expand_home(value: Any, path: bool = False) -> Any:
    """Settings of a config with ``~`` in paths as the home folder.

    Args:
        value (Any): A config or a part of it; changed where it is a dict.
        path (bool): Whether it is the value of one of :data:`PATHS`.
    """
    if isinstance(value, dict):
        for key in list(value):
            new = expand_home(value[key], key in PATHS)
            if new is not value[key]:
                value[key] = new
    elif isinstance(value, list):
        for number, one in enumerate(value):
            value[number] = expand_home(one, path)
    elif path and isinstance(value, str) and value.startswith('~'):
        return osp.expanduser(value)
    return value


def expand_arguments(args: argparse.Namespace) -> argparse.Namespace:
    """A command line with ``~`` where a shell leaves it (``--option=~/x``)."""
    for name, value in vars(args).items():
        if isinstance(value, (str, Path)) and str(value).startswith('~'):
            setattr(args, name, type(value)(os.path.expanduser(value)))
        elif isinstance(value, list):
            setattr(args, name, [
                type(one)(os.path.expanduser(one))
                if isinstance(one, (str, Path)) and str(one).startswith('~')
                else one for one in value])
    return args
