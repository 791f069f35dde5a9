"""Lengths, characters and repetitions of labels."""
import unicodedata
from array import array
from collections import Counter
from functools import lru_cache
from typing import Any, Dict, Iterator, List, Sequence

import numpy as np

from lmim.datasets.labels.oddities import LabelOddities, odd_lines
from lmim.datasets.labels.reading import Label
from lmim.datasets.records import RecordSource, UnreadableRecordError
from .histograms import bars, spread
from lmim.cli import track

#: So many of the rarest characters, and of the labels that come most often,
#: are told.
RAREST, REPEATED = 40, 10
#: Kinds of characters that are no letters, by the first of Unicode's category.
KINDS = {
    'N': 'digits and numbers',
    'P': 'punctuation',
    'S': 'symbols',
    'Z': 'blanks',
    'M': 'combining marks',
    'C': 'control and invisible characters',
}


@lru_cache(maxsize=None)
def kind_of(char: str) -> str:
    """The script of a letter, or the kind of another character.

    Python's tables know no scripts, but the names of letters begin with
    theirs.
    """
    kind = KINDS.get(unicodedata.category(char)[0])
    if kind is None:
        script = unicodedata.name(char, 'unnamed').split()[0]
        kind = f'{"Chinese" if script == "CJK" else script.title()} letters'
    return kind if char.isascii() or char.isalpha() else (
        f'{kind} beyond ASCII')


def inspect_labels(source: RecordSource,
                   indices: Sequence[int]) -> Dict[str, Any]:
    """Lengths, characters and repetitions of labels.

    Args:
        source (RecordSource): The records.
        indices (Sequence[int]): Which to look at.

    Returns:
        Dict[str, Any]: ``looked_at``, ``labels`` (that are there),
        ``different``, ``repeated`` ([label, count], most frequent first),
        ``length`` (see :func:`spread`), ``kinds`` of characters and
        ``characters`` with their counts, most frequent first, and ``oddities``
        (see :meth:`LabelOddities.summary`).
    """
    odd = LabelOddities()
    characters: Counter = Counter()
    # Numbers only: of ten million labels these are 160 MB.
    hashes, holders, lengths = array('q'), array('q'), array('q')
    labels = _labels(source, indices)
    for label in track(labels, len(indices), 'labels'):
        odd.add(label)
        if label.text is not None:
            characters.update(label.text)
            hashes.append(hash(label.text))
            holders.append(label.number)
            lengths.append(len(label.text))
    result: Dict[str, Any] = {
        'looked_at': len(indices),
        'labels': len(lengths),
        'oddities': odd.summary()
    }
    if not lengths:
        return result
    _, first, counts = np.unique(
        np.array(hashes), return_index=True, return_counts=True)
    order = np.argsort(-counts, kind='stable')[:REPEATED]
    longest = max(lengths)
    kinds: Counter = Counter()
    for char, count in characters.items():
        kinds[kind_of(char)] += count
    result.update({
        'different': len(counts),
        'repeated': [[source.label(holders[first[at]]), int(counts[at])]
                     for at in order if counts[at] > 1],
        'length': spread(np.array(lengths), _length_edges(longest)),
        'kinds': dict(kinds.most_common()),
        'characters': dict(characters.most_common())
    })
    return result


def _labels(source: RecordSource, indices: Sequence[int]) -> Iterator[Label]:
    for index in indices:
        try:
            yield Label(source, index, source.label(index))
        except UnreadableRecordError as error:
            yield Label(source, index, None, str(error))


def _length_edges(longest: int) -> List[int]:
    """Each length by itself up to 40 characters, and wider bins beyond."""
    return [*range(min(longest, 40) + 2),
            *(edge for edge in (50, 75, 100, 200) if edge <= longest)]


def tell_labels(found: Dict[str, Any]) -> List[str]:
    """Lines of a report on what :func:`inspect_labels` gave."""
    if not found['labels']:
        return ['no labels']
    length = found['length']
    lines = [
        f'{found["labels"]:,} labels, {found["different"]:,} different ones'
    ]
    if found['repeated']:
        lines.append('most frequent: ' + ', '.join(
            f'{label!r} {count:,}x' for label, count in found['repeated']))
    lines.append(f'length: {length["min"]:,} to {length["max"]:,} '
                 f'characters, median {length["median"]:,}')
    bins = length['histogram']
    lines += bars([_length_name(begin, end) for begin, end, _ in bins],
                  [count for _, _, count in bins])
    characters = found['characters']
    lines.append(f'characters: {len(characters):,} different ones, '
                 f'{sum(characters.values()):,} in all')
    lines += bars([*found['kinds']], [*found['kinds'].values()])
    rarest = [*characters.items()][::-1][:RAREST]
    lines.append('rarest: ' + '  '.join(
        f'{_shown(char)} {count:,}x' for char, count in rarest))
    return lines + odd_lines(found['oddities'])


def _length_name(begin: int, end: Any) -> str:
    if end is None:
        return f'{begin}+'
    return str(begin) if end == begin + 1 else f'{begin} to {end - 1}'


def _shown(char: str) -> str:
    return char if char.isprintable() and not char.isspace() else (
        f'U+{ord(char):04X}')
