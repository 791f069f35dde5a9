"""Reads MMOCR's text detection and text spotting annotations."""
import json
from pathlib import Path
from typing import Any, Dict, List


def read_mmocr(annotation: Path) -> List[Dict[str, Any]]:
    """The checked ``data_list`` of a file of MMOCR 1.x.

    Args:
        annotation (Path): The file.

    Returns:
        List[Dict[str, Any]]: Its entries, each with ``img_path``,
        ``instances``, and ``size`` (height and width) where the file tells.

    Raises:
        ValueError: If the file is not of that format.
    """
    wanted = ('MMOCR 1.x text detection JSON is wanted: {"data_list": '
              '[{"img_path": ..., "instances": [{"polygon": ...}, ...]}, '
              '...]}')
    try:
        entries = json.loads(
            annotation.read_text(encoding='utf-8'))['data_list']
        for number, entry in enumerate(entries):
            if not (isinstance(entry['img_path'], str)
                    and isinstance(entry['instances'], list)):
                raise TypeError(f'entry {number} of data_list')
            if 'height' in entry and 'width' in entry:
                entry['size'] = (int(entry['height']), int(entry['width']))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f'{annotation} is not of the right format ({error!r}). {wanted}'
        ) from None
    if not entries:
        raise ValueError(f'{annotation} names no image. {wanted}')
    return entries
