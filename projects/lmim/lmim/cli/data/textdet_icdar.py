"""Reads the text annotations of ICDAR's contests and their kin.

One text file for each image, one line for each word. ICDAR 2015 (challenge
4): ``x1,y1,...,x4,y4,text``; MLT 2017 and 2019 with the script before the
text; ICDAR 2013 (challenge 2): ``left top right bottom "text"``, with blanks
or commas; SCUT-CTW1500's test set: many corners, then ``####text``;
Total-Text: ``x: [[...]], y: [[...]], ornt: [...], transcriptions: [...]``.
``###`` (in Total-Text ``#``) stands for a word that nobody could read.
"""
import re
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

#: What stands for a word that nobody could read.
UNREAD = frozenset(['###', '#'])

_NUMBER = r'[ \t]*-?\d+(?:\.\d+)?[ \t]*'
_EIGHT = rf'(?P<xy>{_NUMBER}(?:,{_NUMBER}){{7}})'
_FOUR = rf'(?P<xy>{_NUMBER}(?:,{_NUMBER}){{3}})'
_SCRIPTS = ('Arabic|Bangla|Bengali|Chinese|Devanagari|Hindi|Japanese|Korean|'
            'Latin|Mixed|None|Symbols')


class Layout(NamedTuple):
    """How a word is written.

    Attributes:
        name (str): In words.
        pattern (Pattern): With the groups ``xy`` and ``text``.
    """
    name: str
    pattern: 're.Pattern[str]'


#: The more special before the more general.
LAYOUTS = [
    Layout(name, re.compile(pattern)) for name, pattern in [
        ('CTW1500',
         rf'(?P<xy>{_NUMBER}(?:,{_NUMBER}){{9,}}),####(?P<text>.*)'),
        ('ICDAR MLT', rf'{_EIGHT},(?:{_SCRIPTS}),(?P<text>.*)'),
        ('ICDAR 2015', rf'{_EIGHT}(?:,(?P<text>.*))?'),
        ('ICDAR 2013', rf'{_FOUR}(?:,[ \t]*"(?P<text>.*)"[ \t]*)?'),
        ('ICDAR 2013', rf'(?P<xy>{_NUMBER}(?:[ \t]{_NUMBER}){{3}})'
         r'(?:[ \t]"(?P<text>.*)"[ \t]*)?'),
    ]
]
TOTAL_TEXT = re.compile(
    r'x:\s*\[\[(?P<x>[\d\s]+)\]\],\s*y:\s*\[\[(?P<y>[\d\s]+)\]\],'
    r'\s*ornt:.*?transcriptions:\s*\[u?(?P<q>[\'"])(?P<text>.*?)(?P=q)\]',
    re.S)
#: So much of what the most general layout reads must be of a special one,
#: that a word such as 'Latin,text' does not make it so.
MOST = 0.9


class Words(NamedTuple):
    """The words of one annotation file.

    Attributes:
        path (Path): The file.
        instances (List[dict]): Each with ``polygon`` or ``bbox``, and
            ``text`` or ``ignore``; or with ``problem``.
    """
    path: Path
    instances: List[Dict[str, Any]]


def read_icdar(annotation: Path) -> Tuple[str, List[Words]]:
    """Read a folder of annotation files, or one of them.

    Args:
        annotation (Path): The folder, or the file.

    Returns:
        tuple[str, list[Words]]: What the layout is called, and the words of
        each file.

    Raises:
        ValueError: If there is no such file, or no line that is understood.
    """
    files = (sorted(annotation.glob('*.txt'))
             if annotation.is_dir() else [annotation])
    texts = {path: _read(path) for path in files}
    if any(map(TOTAL_TEXT.match, texts.values())):
        return 'Total-Text', [
            Words(path, _total_text(text)) for path, text in texts.items()
        ]
    # Not splitlines(): a transcription may hold what that takes for an end.
    lines = {
        path: [line for line in re.split('\r?\n', text) if line.strip()]
        for path, text in texts.items()
    }
    layout = _recognise([line for part in lines.values() for line in part],
                        annotation)
    return layout.name, [
        Words(path, [_instance(layout, line) for line in part])
        for path, part in lines.items()
    ]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding='utf-8-sig')
    except UnicodeDecodeError as error:
        raise ValueError(
            f'{path} is not in UTF-8 ({error}); save it as such') from error


def _recognise(lines: List[str], annotation: Path) -> Layout:
    """The layout of nearly all lines."""
    counts = [sum(bool(layout.pattern.fullmatch(line)) for line in lines)
              for layout in LAYOUTS]
    if not max(counts):
        told = (f'the first line is {lines[0][:80]!r}' if lines else
                'there is no line in any .txt file')
        raise ValueError(
            f'{annotation}: no word in any layout that is known; {told}. '
            'Wanted is MMOCR 1.x JSON, or text files, one for each image, '
            'with lines as in ICDAR 2013 (left,top,right,bottom,"text"), '
            'ICDAR 2015 (x1,y1,...,x4,y4,text), MLT (x1,...,y4,script,text), '
            'CTW1500 or Total-Text')
    return next(layout for layout, count in zip(LAYOUTS, counts)
                if count >= MOST * max(counts))


def _instance(layout: Layout, line: str) -> Dict[str, Any]:
    """A line as MMOCR's formats would have it."""
    match = layout.pattern.fullmatch(line)
    if match is None:
        return {'problem': f'a line that is not of {layout.name}'}
    numbers = [float(number) for number in re.split(r'[,\s]+',
                                                    match['xy'].strip())]
    text = match['text']
    if text is not None and len(numbers) == 4:
        text = re.sub(r'\\(["\\])', r'\1', text)
    shape = 'bbox' if len(numbers) == 4 else 'polygon'
    return {shape: numbers, **_transcription(text)}


def _total_text(text: str) -> List[Dict[str, Any]]:
    """The words of a file of Total-Text, whose lines may be broken."""
    words: List[Dict[str, Any]] = []
    for part in re.split(r'(?=\bx:\s*\[)', text)[1:]:
        match = TOTAL_TEXT.match(part)
        sides = [match[side].split() for side in 'xy'] if match else []
        if match is None or len(sides[0]) != len(sides[1]):
            words.append({'problem': 'a word that is not as in Total-Text'})
            continue
        points = np.array(sides, np.float64).T.ravel().tolist()
        words.append({'polygon': points, **_transcription(match['text'])})
    return words


def _transcription(text: Optional[str]) -> Dict[str, Any]:
    if text in UNREAD:
        return {'ignore': True}
    return {'text': text} if text else {}
