"""Whether a recognizer can learn the labels that it is given."""
from collections import Counter
from typing import Callable, List, Optional, Set

from lmim.utils.characters import meant_as, named_character

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
        return [
            f'{label.picture}: {label.problem or repr(label.text)}'
            for label in self.first
        ]

    def examples(self) -> str:
        """A line for each of the first."""
        return ''.join(f'\n  {name}' for name in self.names())


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
        case = spelling.letter_case
        #: All characters, in the recognizer's letter case.
        self.seen: Set[str] = set()
        self._convert: Optional[Callable[[str], str]] = (
            None if case == 'unchanged' else getattr(str, case))

    def add(self, label: Label) -> None:
        """Look at a label."""
        self.total += 1
        text = label.text
        if not text:
            self.bad += 1
            self.empty.add(label)
            return
        if self._convert is not None:
            text = self._convert(text)
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
        more = f'\n  and {rest:,} more, all in {listing}' if rest > 0 else ''
        text = (f'{self._share(self.unknown)} {self.subject} have '
                'characters that are not in the dictionary'
                f'{f" {dict_file}" if dict_file else ""}:' +
                ''.join(f'\n  {line}' for line in lines[:SHOWN]) + more +
                '\nFor example:' + self.unknown.examples())
        if self.spelling.maps_unknown:
            return f'{text}\nThey are learnt as the unknown token.'
        mend = self.spelling.mend
        return (f'{text}\nAdd them to a copy of the dictionary, one a line '
                '(--cfg-options model.decoder.dictionary.dict_file=FILE); or '
                'mend or drop such labels' +
                (f'; or train them as the unknown token with --cfg-options '
                 f'{mend}' if mend else ''))

    def character_lines(self) -> List[str]:
        """Unknown characters, their code points and in how many labels."""
        ranked = sorted(self.characters.items(), key=lambda x: (-x[1], x[0]))
        hints = {char: self.hint(char) for char in self.characters}
        return [
            f'{named_character(char)} in {count:,} label(s)' +
            (f'; {hints[char]}' if hints[char] else '')
            for char, count in ranked
        ]

    def length_message(self) -> Optional[str]:
        """What to say of labels that are too long, or empty."""
        parts = []
        if self.long.count:
            parts.append(
                f'{self._share(self.long)} {self.subject} have more than '
                f'{self.spelling.max_length} characters and are learnt cut '
                'off there; model.decoder.max_seq_len sets how many. For '
                f'example:{self.long.examples()}')
        if self.empty.count:
            parts.append(
                f"{self._share(self.empty)} {self.subject} are empty (''), "
                'learnt as a picture without text, or missing (None): such a '
                'record is skipped, or ends the run. For example:'
                f'{self.empty.examples()}')
        return '\n'.join(parts) or None

    def _share(self, tally: Tally) -> str:
        return f'{tally.count:,} of {self.total:,}'
