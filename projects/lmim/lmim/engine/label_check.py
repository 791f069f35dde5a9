"""Whether a recognizer can learn the labels that it is given."""
from collections import Counter
from typing import Any, Callable, List, NamedTuple, Optional

from mmocr.models.textrecog.module_losses import CTCModuleLoss

from lmim.datasets.labels import Label
from lmim.models.textrecog.lmim_module_loss import named_character

#: How many labels of a kind a message shows.
EXAMPLES = 3
#: How many characters a message lists; the file lists them all.
SHOWN = 40


class Spelling(NamedTuple):
    """What labels a recognizer takes.

    Attributes:
        characters (frozenset): Those of its dictionary.
        letter_case (str): ``'lower'``, ``'upper'`` or ``'unchanged'``.
        max_length (int, optional): Most characters of a word that it learns;
            None where labels are not cut.
        maps_unknown (bool): Whether other characters become the unknown
            token instead of ending the run.
        mend (str): The setting that would make it so.
    """
    characters: frozenset
    letter_case: str
    max_length: Optional[int]
    maps_unknown: bool
    mend: str


def spelling_of(model: Any) -> Optional[Spelling]:
    """What labels a model takes; None where it takes none.

    Args:
        model (nn.Module): Any of MMOCR's recognizers, or another model.
    """
    decoder = getattr(model, 'decoder', None)
    dictionary = getattr(decoder, 'dictionary', None)
    if dictionary is None:
        return None
    loss: Any = getattr(decoder, 'module_loss', None)
    length = getattr(loss, 'max_seq_len', None)
    if isinstance(loss, CTCModuleLoss):
        length = None  # it takes as many as the picture has columns
    elif length is not None and dictionary.start_idx is not None:
        length -= 1  # the start token takes the first place
    if hasattr(loss, 'on_unknown'):
        maps = loss.on_unknown == 'map'
        mend = 'model.decoder.module_loss.on_unknown=map'
    else:
        maps = dictionary.unknown_idx is not None
        mend = 'model.decoder.dictionary.with_unknown=True'
    special = {
        index
        for index in (dictionary.start_idx, dictionary.end_idx,
                      dictionary.padding_idx, dictionary.unknown_idx)
        if index is not None
    }
    characters = frozenset(char
                           for index, char in enumerate(dictionary.dict)
                           if index not in special)
    return Spelling(characters, getattr(loss, 'letter_case', 'unchanged'),
                    length, maps, mend)


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

    def examples(self) -> str:
        """A line for each of the first."""
        return ''.join(f'\n  {label.picture}: {label.text!r}'
                       for label in self.first)


class LabelReport:
    """What is wrong with a set of labels.

    Args:
        spelling (Spelling): What the recognizer takes.
    """

    def __init__(self, spelling: Spelling) -> None:
        self.spelling = spelling
        self.total = 0
        self.unknown, self.long, self.empty = Tally(), Tally(), Tally()
        #: In how many labels each unknown character is.
        self.characters: Counter = Counter()
        case = spelling.letter_case
        self._convert: Optional[Callable[[str], str]] = (
            None if case == 'unchanged' else getattr(str, case))

    def add(self, label: Label) -> None:
        """Look at a label."""
        self.total += 1
        text = label.text
        if not text:
            self.empty.add(label)
            return
        if self._convert is not None:
            text = self._convert(text)
        length = self.spelling.max_length
        if length is not None and len(text) > length:
            self.long.add(label)
        if not self.spelling.characters.issuperset(text):
            self.characters.update(set(text) - self.spelling.characters)
            self.unknown.add(label)

    def unknown_message(self, dict_file: Optional[str],
                        listing: Optional[str]) -> Optional[str]:
        """What to say of characters outside the dictionary.

        Args:
            dict_file (str, optional): The dictionary's file.
            listing (str, optional): The file that lists all of them.

        Returns:
            str, optional: None where there are no such characters.
        """
        if not self.unknown.count:
            return None
        lines = self.character_lines()
        rest = len(lines) - SHOWN
        more = f'\n  and {rest:,} more, all in {listing}' if rest > 0 else ''
        text = (f'{self.unknown.count:,} of {self.total:,} training labels '
                f'have characters that are not in the dictionary'
                f'{f" {dict_file}" if dict_file else ""}:' +
                ''.join(f'\n  {line}' for line in lines[:SHOWN]) + more +
                '\nFor example:' + self.unknown.examples())
        if self.spelling.maps_unknown:
            return f'{text}\nThey are learnt as the unknown token.'
        return (f'{text}\nAdd them to a copy of the dictionary, one a line '
                '(--cfg-options model.decoder.dictionary.dict_file=FILE); or '
                'drop such labels; or train them as the unknown token with '
                f'--cfg-options {self.spelling.mend}')

    def character_lines(self) -> List[str]:
        """Unknown characters, their code points and in how many labels."""
        ranked = sorted(self.characters.items(), key=lambda x: (-x[1], x[0]))
        return [f'{named_character(char)} in {count:,} label(s)'
                for char, count in ranked]

    def length_message(self) -> Optional[str]:
        """What to say of labels that are too long, or empty."""
        parts = []
        if self.long.count:
            parts.append(
                f'{self.long.count:,} of {self.total:,} training labels have '
                f'more than {self.spelling.max_length} characters and are '
                'learnt cut off there; model.decoder.max_seq_len sets how '
                f'many. For example:{self.long.examples()}')
        if self.empty.count:
            parts.append(
                f'{self.empty.count:,} of {self.total:,} training records '
                "have an empty label (''), learnt as a picture without text, "
                'or none (None): an LMDB skips such a record, another set '
                'ends the run at it. For example:'
                f'{self.empty.examples()}')
        return '\n'.join(parts) or None
