"""What is wrong or odd about labels, and whether a recognizer learns them."""
import heapq
import re
import unicodedata
from collections import Counter
from typing import Any, Dict, List, Optional, Set, Tuple

from lmim.datasets.records import IMAGE_SUFFIXES
from lmim.utils.characters import meant_as, named_character, oddity

from .reading import Label
from .spelling import Spelling

#: How many labels of a kind a message shows.
EXAMPLES = 3
#: How many characters a message lists.
SHOWN = 40


class Tally:
    """Labels of one kind: how many, and the first of them."""

    def __init__(self) -> None:
        self.count = 0
        self.first: List[Label] = []

    def add(self, label: Label) -> None:
        """Count a label in."""
        self.count += 1
        if len(self.first) < EXAMPLES:
            self.first.append(label)

    def names(self) -> List[str]:
        """The first of them: picture and label, or why there is none."""
        return [f'{label.picture}: {label.problem or repr(label.text)}'
                for label in self.first]


def ranked(counts: Dict[str, int]) -> List[Tuple[str, int]]:
    """Names and counts, the largest first."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


class LabelReport:
    """What is wrong with a set of labels.

    Args:
        spelling (Spelling): What the recognizer takes.
        subject (str): What the labels are called in messages. Defaults to
            'training labels'.
    """

    def __init__(self, spelling: Spelling,
                 subject: str = 'training labels') -> None:
        self.spelling = spelling
        self.subject = subject
        self.total = 0
        #: Labels with anything wrong.
        self.bad = 0
        self.unknown, self.long, self.empty = Tally(), Tally(), Tally()
        #: In how many labels each unknown character is.
        self.characters: Counter = Counter()
        #: All characters, in the recognizer's letter case.
        self.seen: Set[str] = set()

    def add(self, label: Label) -> None:
        """Look at a label."""
        self.total += 1
        text = label.text
        if not text:
            self.bad += 1
            self.empty.add(label)
            return
        if self.spelling.letter_case != 'unchanged':
            text = getattr(text, self.spelling.letter_case)()
        self.seen.update(text)
        length = self.spelling.max_length
        long = length is not None and len(text) > length
        if long:
            self.long.add(label)
        unknown = not self.spelling.characters.issuperset(text)
        if unknown:
            self.characters.update(set(text) - self.spelling.characters)
            self.unknown.add(label)
        self.bad += long or unknown

    def hint(self, char: str) -> Optional[str]:
        """What a character may be meant as, if the dictionary has that.

        Args:
            char (str): One that the dictionary has not.
        """
        known = self.spelling.characters
        if char == ' ':
            return 'the blank; a line that holds one blank adds it'
        meant = meant_as(char)
        if meant == '':
            return 'nothing is to be seen of it'
        if meant is not None and known.issuperset(meant):
            return f'meant as {meant!r}?'
        for case in ('lower', 'upper'):
            other = getattr(char, case)()
            if other != char and known.issuperset(other):
                return f'{other!r} by letter_case={case}'
        return None

    def unknown_message(self, dict_file: Optional[str],
                        listing: Optional[str]) -> Optional[str]:
        """What to say of characters outside the dictionary.

        Args:
            dict_file (str, optional): The dictionary's file.
            listing (str, optional): Where all of them are listed.

        Returns:
            str, optional: None where there are no such characters.
        """
        if not self.unknown.count:
            return None
        lines = self.character_lines()
        rest = len(lines) - SHOWN
        if rest > 0:
            lines[SHOWN:] = [f'and {rest:,} more, all in {listing}']
        text = (f'{self._share(self.unknown)} {self.subject} have '
                'characters that are not in the dictionary'
                f'{f" {dict_file}" if dict_file else ""}:' +
                _indented(lines) +
                '\nFor example:' + _indented(self.unknown.names()))
        if self.spelling.maps_unknown:
            return f'{text}\nThey are learnt as the unknown token.'
        fix = self.spelling.fix
        return (f'{text}\nAdd them to a copy of the dictionary, one a line '
                '(--cfg-options model.decoder.dictionary.dict_file=FILE); or '
                'correct or drop such labels' +
                (f'; or train them as the unknown token with --cfg-options '
                 f'{fix}' if fix else ''))

    def character_lines(self) -> List[str]:
        """Unknown characters, their code points and in how many labels."""
        lines = []
        for char, count in ranked(self.characters):
            hint = self.hint(char)
            lines.append(f'{named_character(char)} in {count:,} label(s)' +
                         (f'; {hint}' if hint else ''))
        return lines

    def length_message(self) -> Optional[str]:
        """What to say of labels that are too long, or empty."""
        parts = []
        if self.long.count:
            parts.append(
                f'{self._share(self.long)} {self.subject} have more than '
                f'{self.spelling.max_length} characters and are learnt cut '
                'off there; model.decoder.max_seq_len sets how many. For '
                f'example:{_indented(self.long.names())}')
        if self.empty.count:
            parts.append(
                f"{self._share(self.empty)} {self.subject} are empty (''), "
                'learnt as a picture without text, or missing (None): such a '
                'record is skipped, or ends the run. For example:'
                f'{_indented(self.empty.names())}')
        return '\n'.join(parts) or None

    def _share(self, tally: Tally) -> str:
        return f'{tally.count:,} of {self.total:,}'


def _indented(lines: List[str]) -> str:
    return ''.join(f'\n  {line}' for line in lines)


#: So many of the longest labels are named.
LONGEST = 5

#: Printable ASCII without a blank at either end: most labels are no more.
_PLAIN = re.compile(r'[!-~](?:[ -~]*[!-~])?')

#: What each kind of label may come of, and its fix.
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


def oddities(text: str) -> List[str]:
    """What is odd about a label, whatever the dictionary; kinds in words."""
    if not text:
        return ['empty']
    found = []
    if not _PLAIN.fullmatch(text):
        if text != text.strip():
            found.append('begins or ends with a blank')
        if not unicodedata.is_normalized('NFC', text):
            found.append('not in NFC')
        found += [f'{kind} in it'
                  for kind in sorted({oddity(char) or '' for char in text})
                  if kind]
    if text[0] == text[-1] == '"' and len(text) > 2:
        found.append('in quotation marks')
    elif text.lower().endswith(IMAGE_SUFFIXES):
        found.append('like the name of a picture file')
    return found


class LabelWarnings:
    """Counts labels that are mostly mistakes, whatever the dictionary.

    Attributes:
        total (int): Labels looked at.
        lengths (Counter): How many labels have each number of characters;
            those that are missing or cannot be read are left out.
        longest (List[Label]): The longest ones, longest first.
        kinds (Dict[str, Tally]): Labels of each kind that is odd.
    """

    def __init__(self) -> None:
        self.total = 0
        self.lengths: Counter = Counter()
        self.longest: List[Label] = []
        self.kinds: Dict[str, Tally] = {}

    def add(self, label: Label) -> None:
        """Look at a label."""
        self.total += 1
        text = label.text
        if text is None:
            self._count('unreadable' if label.problem else 'missing', label)
            return
        length = len(text)
        self.lengths[length] += 1
        if (len(self.longest) < LONGEST
                or length > len(self.longest[-1].text or '')):
            self.longest = heapq.nlargest(
                LONGEST, [*self.longest, label],
                key=lambda label: len(label.text or ''))
        for kind in oddities(text):
            self._count(kind, label)

    def _count(self, kind: str, label: Label) -> None:
        self.kinds.setdefault(kind, Tally()).add(label)

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
            'odd': {
                kind: {'labels': count, 'examples': self.kinds[kind].names()}
                for kind, count in ranked(
                    {kind: tally.count for kind, tally in self.kinds.items()})
            },
        }


def warning_lines(summary: Dict[str, Any]) -> List[str]:
    """What to say of :meth:`LabelWarnings.summary`, kind by kind.

    Returns:
        List[str]: A line for each kind, then lines with examples.
    """
    lines = []
    for kind, found in summary['odd'].items():
        advice = ADVICE.get(kind)
        lines.append(f'{found["labels"]:,} of {summary["labels"]:,} labels: '
                     f'{kind}{f" ({advice})" if advice else ""}')
        lines += [f'  {name}' for name in found['examples']]
    return lines
