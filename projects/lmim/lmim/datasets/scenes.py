"""Reads annotations of scene images: which words are where.

MMOCR's own parsers of text files are not used: they need the layout as an
option, lose quotation marks and commas of ICDAR 2013's words, and that of
Total-Text evaluates what the file holds.
"""
import json
import re
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import cv2
import numpy as np

from lmim.utils.errors import UserError, some
from .records import IMAGE_SUFFIXES

#: What stands for a word that nobody could read.
UNREAD = frozenset(['###', '#'])

_NUMBER = r'[ \t]*-?\d+(?:\.\d+)?[ \t]*'
_EIGHT = rf'(?P<xy>{_NUMBER}(?:,{_NUMBER}){{7}})'
_SCRIPTS = ('Arabic|Bangla|Bengali|Chinese|Devanagari|Hindi|Japanese|Korean|'
            'Latin|Mixed|None|Symbols')
#: One text file for each image, one line for each word, in one of these
#: layouts; the more special before the more general.
LAYOUTS: List[Tuple[str, 're.Pattern[str]']] = [
    (name, re.compile(pattern)) for name, pattern in [
        ('CTW1500',
         rf'(?P<xy>{_NUMBER}(?:,{_NUMBER}){{9,}}),####(?P<text>.*)'),
        ('ICDAR MLT', rf'{_EIGHT},(?:{_SCRIPTS}),(?P<text>.*)'),
        ('ICDAR 2015', rf'{_EIGHT}(?:,(?P<text>.*))?'),
        ('ICDAR 2013', rf'(?P<xy>{_NUMBER}(?:,{_NUMBER}){{3}})'
         r'(?:,[ \t]*"(?P<text>.*)"[ \t]*)?'),
        ('ICDAR 2013', rf'(?P<xy>{_NUMBER}(?:[ \t]{_NUMBER}){{3}})'
         r'(?:[ \t]"(?P<text>.*)"[ \t]*)?'),
    ]
]
#: A word of Total-Text, whose lines may be broken.
_TOTAL_TEXT = re.compile(
    r'x:\s*\[\[(?P<x>[\d\s]+)\]\],\s*y:\s*\[\[(?P<y>[\d\s]+)\]\],'
    r'\s*ornt:.*?transcriptions:\s*\[u?(?P<q>[\'"])(?P<text>.*?)(?P=q)\]',
    re.S)
#: So much of what the most general layout reads must be of a special one,
#: that a word such as 'Latin,text' does not make it so.
_MOST = 0.9
_WANTED = ('Wanted is MMOCR 1.x JSON, {"data_list": [{"img_path": ..., '
           '"instances": [{"polygon": ...}, ...]}, ...]}; or text files, one '
           'for each image, as in ICDAR 2013 (left,top,right,bottom,"text"), '
           'ICDAR 2015 (x1,y1,...,x4,y4,text), MLT (x1,...,y4,script,text), '
           'CTW1500 or Total-Text')


class Scene(NamedTuple):
    """One annotated image.

    Args:
        path (Path): Where it lies.
        size (tuple[int, int], optional): Height and width that the
            annotation says, where it does.
        instances (list[dict]): Its words, with ``polygon`` or ``bbox``, and
            perhaps ``text`` and ``ignore``; or with ``problem``, which says
            why there is none.
    """
    path: Path
    size: Optional[Tuple[int, int]]
    instances: List[Dict[str, Any]]


def read_scenes(annotation: Path,
                images_dir: Path) -> Tuple[str, List[Scene]]:
    """Read annotations of any format that is known.

    An image that a JSON file names is looked for by its path below
    ``images_dir``, then by its name alone in it; that of ICDAR's
    ``gt_img_1.txt`` is any picture ``img_1`` in or below it.

    Args:
        annotation (Path): A TextDet or TextSpotting file of MMOCR 1.x; or a
            folder of text files as ICDAR's, or one of them.
        images_dir (Path): Where the images lie.

    Returns:
        tuple[str, list[Scene]]: What the format is called, and the images.

    Raises:
        FileNotFoundError: If the file, the folder or images are missing.
        UserError: If the annotation is of no format that is known.
    """
    if not annotation.exists():
        raise FileNotFoundError(f'The annotation {annotation} does not exist')
    if not images_dir.is_dir():
        raise FileNotFoundError(
            f'The folder of images {images_dir} does not exist')
    scenes, missing = [], []
    if annotation.is_dir() or annotation.suffix.lower() == '.txt':
        layout, files = read_text_files(annotation)
        pictures = _by_stem(images_dir)
        for file, instances in files.items():
            bare = re.sub('^(poly_)?gt_', '', file.stem)
            stems = [stem for stem in (file.stem, bare, bare.lstrip('0'))
                     if stem in pictures]
            if stems:
                scenes.append(Scene(pictures[stems[0]], None, instances))
            else:
                missing.append(f'the picture of {file.name}')
    else:
        layout = 'MMOCR 1.x'
        for entry in _read_mmocr(annotation):
            name = Path(entry['img_path'])
            paths = [path for path in (images_dir / name,
                                       images_dir / name.name)
                     if path.is_file()]
            if paths:
                size = ((int(entry['height']), int(entry['width']))
                        if {'height', 'width'} <= set(entry) else None)
                scenes.append(Scene(paths[0], size, entry['instances']))
            else:
                missing.append(entry['img_path'])
    if missing:
        raise FileNotFoundError(
            f'{len(missing)} of {len(missing) + len(scenes)} images that '
            f'{annotation} names are not in {images_dir}, neither by their '
            f'path nor by their name: {some(missing, 20)}')
    return layout, scenes


def _by_stem(images_dir: Path) -> Dict[str, Path]:
    """All pictures in a folder and below, by their name without suffix."""
    found: Dict[str, Path] = {}
    for path in sorted(images_dir.rglob('*')):
        if path.suffix.lower() in IMAGE_SUFFIXES:
            other = found.setdefault(path.stem, path)
            if other is not path:
                raise UserError(
                    f'{other} and {path} go by the same name, which an '
                    'annotation could mean either by. Give the folder of one')
    return found


def _read_mmocr(annotation: Path) -> List[Dict[str, Any]]:
    """The checked ``data_list`` of a file of MMOCR 1.x."""
    try:
        entries = json.loads(
            annotation.read_text(encoding='utf-8'))['data_list']
        for number, entry in enumerate(entries):
            if not (isinstance(entry['img_path'], str)
                    and isinstance(entry['instances'], list)):
                raise TypeError(f'entry {number} of data_list')
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f'{annotation} is not of the right format '
                        f'({error!r}). {_WANTED}') from None
    if not entries:
        raise UserError(f'{annotation} names no image. {_WANTED}')
    return entries


def read_text_files(annotation: Path
                    ) -> Tuple[str, Dict[Path, List[Dict[str, Any]]]]:
    """Read a folder of annotation files, or one of them.

    Args:
        annotation (Path): The folder, or the file.

    Returns:
        tuple[str, dict]: What the layout is called, and the instances of
        each file, as of :class:`Scene`.

    Raises:
        UserError: If there is no such file, or no line that is understood.
    """
    texts: Dict[Path, str] = {}
    for path in (sorted(annotation.glob('*.txt'))
                 if annotation.is_dir() else [annotation]):
        try:
            texts[path] = path.read_text(encoding='utf-8-sig')
        except UnicodeDecodeError as error:
            raise UserError(f'{path} is not in UTF-8 ({error}); save it as '
                            'such') from error
    if any(map(_TOTAL_TEXT.match, texts.values())):
        return 'Total-Text', {
            path: [_instance(_TOTAL_TEXT.match(word), 'Total-Text')
                   for word in re.split(r'(?=\bx:\s*\[)', text)[1:]]
            for path, text in texts.items()}
    # Not splitlines(): a transcription may hold what that takes for an end.
    lines = {path: [line for line in re.split('\r?\n', text) if line.strip()]
             for path, text in texts.items()}
    every = [line for part in lines.values() for line in part]
    counts = [sum(bool(pattern.fullmatch(line)) for line in every)
              for _, pattern in LAYOUTS]
    if not max(counts):
        seen = (f'the first line is {every[0][:80]!r}' if every else
                'there is no line in any .txt file')
        raise UserError(f'{annotation}: no word in any layout that is known; '
                        f'{seen}. {_WANTED}')
    name, pattern = next(layout for layout, count in zip(LAYOUTS, counts)
                         if count >= _MOST * max(counts))
    return name, {path: [_instance(pattern.fullmatch(line), name)
                         for line in part] for path, part in lines.items()}


def _instance(match: 'Optional[re.Match[str]]', name: str) -> Dict[str, Any]:
    """A word as MMOCR's formats would have it."""
    found = {} if match is None else match.groupdict()
    if 'x' in found:
        sides = [found[side].split() for side in 'xy']
        numbers = [float(each) for point in zip(*sides) for each in point]
        problem = len(sides[0]) != len(sides[1])
    else:
        numbers = [float(number)
                   for number in re.findall(r'[-\d.]+', found.get('xy', ''))]
        problem = match is None
    if problem:
        return {'problem': f'a word that is not as in {name}'}
    text = found['text']
    if text is not None and len(numbers) == 4:
        text = re.sub(r'\\(["\\])', r'\1', text)
    shape = 'bbox' if len(numbers) == 4 else 'polygon'
    extra = {'ignore': True} if text in UNREAD else {'text': text}
    return {shape: numbers, **(extra if text else {})}


def load_scene(scene: Scene) -> np.ndarray:
    """Decode an image the way round that its annotation has it.

    Cameras note in EXIF how a picture is to be turned. As MMOCR does, it is
    turned; unless the annotation's size is that of the unturned picture.

    Returns:
        np.ndarray: BGR uint8 of shape (H, W, 3).

    Raises:
        UserError: If it cannot be decoded, or is of another size than the
            annotation says.
    """
    data = np.frombuffer(scene.path.read_bytes(), np.uint8)
    sizes = []
    for flags in (cv2.IMREAD_COLOR,
                  cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION):
        try:
            image = cv2.imdecode(data, flags)
        except cv2.error:  # of an empty file, or one of too many pixels
            image = None
        if image is None:
            raise UserError('image cannot be decoded')
        if scene.size is None or image.shape[:2] == scene.size:
            return image
        sizes.append(image.shape)
    assert scene.size is not None
    raise UserError(
        f'image is {sizes[0][1]}x{sizes[0][0]} pixels where the annotation '
        f'says {scene.size[1]}x{scene.size[0]}')


def is_ignored(instance: Dict[str, Any]) -> bool:
    """Whether a word is marked as one that nobody could read."""
    return bool(instance.get('ignore')) or instance.get('text') in UNREAD


def label_of(instance: Any) -> Optional[str]:
    """What a word says, if that is known."""
    if not isinstance(instance, dict) or is_ignored(instance):
        return None
    text = instance.get('text')
    return text if isinstance(text, str) and text else None
