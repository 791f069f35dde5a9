"""What is odd about labels, whatever the dictionary."""
import re
import unicodedata
from collections import Counter
from typing import Any, Dict, List, Set

from lmim.utils.characters import oddity

from .report import Tally
from .reading import Label

#: So many of the longest labels are named.
LONGEST = 5

#: Printable ASCII without a blank at either end: most labels are no more.
_PLAIN = re.compile(r'[!-~](?:[ -~]*[!-~])?')
_FILE_NAME = re.compile(r'\.(?:jpe?g|png|bmp|tiff?|webp|gif)$', re.I)

#: What each kind of label may come of, and its mend.
ADVICE = {
    'missing': 'no label was found for the picture: look at the keys of the '
    'LMDB (label-%09d), or at the list',
    'unreadable': 'the label is there, but is no text',
    'empty': 'a picture without text, or a label that was lost',
    'begins or ends with a blank': 'strip the labels: a model learns the '
    'blank too',
    'in quotation marks': 'some lists of ICDAR quote each word: take the '
    'quotation marks off, unless they are in the picture',
    'like the name of a picture file': 'the columns of the list may be '
    'swapped',
    'not in NFC': 'accents are characters of their own; write all labels in '
    'NFC (unicodedata.normalize) so that each text is spelt in one way',
}


class LabelOddities:
    """Counts labels that are mostly mistakes.

    Attributes:
        total (int): Labels looked at.
        lengths (Counter): How many labels have each number of characters;
            those that are missing or cannot be read are left out.
        longest (List[Label]): The longest ones, longest first.
        kinds (Dict[str, Tally]): Labels of each kind that is odd.
        composed (int): Labels with characters that could be spelt as a letter
            and a mark, and are not.
    """

    def __init__(self) -> None:
        self.total = 0
        self.lengths: Counter = Counter()
        self.longest: List[Label] = []
        self.kinds: Dict[str, Tally] = {}
        self.composed = 0
        self._worth = 0  # a longer label is one of the longest

    def add(self, label: Label) -> None:
        """Look at a label."""
        self.total += 1
        text = label.text
        if text is None:
            self._count('unreadable' if label.problem else 'missing', label)
            return
        length = len(text)
        self.lengths[length] += 1
        if not text:
            self._count('empty', label)
            return
        if length > self._worth:
            self._keep(label)
        if not _PLAIN.fullmatch(text):
            self._look_closer(text, label)
        if text[0] == text[-1] == '"' and length > 2:
            self._count('in quotation marks', label)
        elif _FILE_NAME.search(text, length - 5):
            self._count('like the name of a picture file', label)

    def _count(self, kind: str, label: Label) -> None:
        self.kinds.setdefault(kind, Tally()).add(label)

    def _keep(self, label: Label) -> None:
        self.longest.append(label)
        self.longest.sort(key=_length, reverse=True)
        del self.longest[LONGEST:]
        if len(self.longest) == LONGEST:
            self._worth = _length(self.longest[-1])

    def _look_closer(self, text: str, label: Label) -> None:
        """Look at a label that is more than plain ASCII."""
        if text != text.strip():
            self._count('begins or ends with a blank', label)
        if not unicodedata.is_normalized('NFC', text):
            self._count('not in NFC', label)
        elif not unicodedata.is_normalized('NFD', text):
            self.composed += 1
        odd: Set[str] = {kind for kind in map(oddity, set(text)) if kind}
        for kind in odd:
            self._count(f'has a {kind}', label)

    def summary(self) -> Dict[str, Any]:
        """All of it, in types that JSON has."""
        count = sum(self.lengths.values())
        total = sum(length * n for length, n in self.lengths.items())
        return {
            'labels': self.total,
            'mean_length': round(total / count, 2) if count else 0,
            'lengths': {str(length): n
                        for length, n in sorted(self.lengths.items())},
            'longest': [f'{label.picture}: {label.text!r}'
                        for label in self.longest],
            'composed': self.composed,
            'odd': {
                kind: {'labels': tally.count, 'examples': tally.names()}
                for kind, tally in sorted(
                    self.kinds.items(), key=lambda x: (-x[1].count, x[0]))
            },
        }


def _length(label: Label) -> int:
    return len(label.text or '')


def odd_lines(summary: Dict[str, Any]) -> List[str]:
    """What to say of :meth:`LabelOddities.summary`, kind by kind.

    Returns:
        List[str]: A line for each kind, then lines with examples.
    """
    lines = []
    for kind, found in summary['odd'].items():
        advice = ADVICE.get(kind)
        lines.append(f'{found["labels"]:,} of {summary["labels"]:,} labels: '
                     f'{kind}{f" ({advice})" if advice else ""}')
        lines += [f'  {name}' for name in found['examples']]
    if summary['composed'] and 'not in NFC' in summary['odd']:
        lines.append(
            f'{summary["composed"]:,} other labels spell such characters as '
            'one: the same text in two spellings')
    return lines
