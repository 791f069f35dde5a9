"""Generated sets: an LMDB, a list, MMOCR's JSON."""
import json
from pathlib import Path
from typing import Callable, Dict, List

import cv2

from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.rendering import RenderedWords
from lmim.utils.progress import track

#: Different pictures; each is used again and again.
PICTURES = 64


def rendered_files() -> List[bytes]:
    """JPEG files of rendered words, of 1 to 2 KB."""
    words = RenderedWords(PICTURES)
    return [cv2.imencode('.jpg', words[index].image)[1].tobytes()
            for index in range(PICTURES)]


def make_lmdb(path: Path, count: int, images: List[bytes]) -> None:
    """An LMDB with plain labels."""
    with LMDBWriter(path) as writer:
        for index in track(range(count), count, f'LMDB of {count:,}'):
            writer.add(images[index % len(images)], f'word{index}')


def make_list(path: Path, count: int, images: List[bytes]) -> None:
    """Lines `path<TAB>label`."""
    names = _files(path.parent, images)
    with open(path, 'w', encoding='utf-8') as file:
        for index in range(count):
            file.write(f'{names[index % len(names)]}\tword{index}\n')


def make_mmocr_json(path: Path, count: int, images: List[bytes]) -> None:
    """MMOCR 1.x, in one line, as the files of Union14M-L are."""
    names = _files(path.parent, images)
    with open(path, 'w', encoding='utf-8') as file:
        file.write('{"metainfo": {"dataset_type": "TextRecogDataset"}, '
                   '"data_list": [')
        for index in range(count):
            file.write((', ' if index else '') + json.dumps(dict(
                img_path=names[index % len(names)],
                instances=[dict(text=f'word{index}')])))
        file.write(']}')


def _files(folder: Path, images: List[bytes]) -> List[str]:
    """Write the pictures; their names, with paths of usual length."""
    names = [f'pictures/part_{index:02d}/word_{index:09d}.jpg'
             for index in range(len(images))]
    for name, image in zip(names, images):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(image)
    return names


MAKERS: Dict[str, Callable[[Path, int, List[bytes]], None]] = {
    'lmdb': make_lmdb, 'list': make_list, 'json': make_mmocr_json}
