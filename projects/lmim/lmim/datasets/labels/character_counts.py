"""How often each character is in a set of labels."""
from array import array
from collections import Counter
from typing import Dict, Sequence, Set


class CharacterCounts:
    """Counts characters, and remembers the labels of rare ones.

    Args:
        few (int): Characters in fewer labels than this are rare.

    Attributes:
        occurrences (Counter): How often each character is there.
        labels (Counter): In how many labels each is.
    """

    def __init__(self, few: int) -> None:
        self.few = few
        self.occurrences: Counter = Counter()
        self.labels: Counter = Counter()
        self._rare: Dict[str, 'array[int]'] = {}
        self._frequent: Set[str] = set()

    def add(self, number: int, text: str) -> None:
        """Count a label in.

        Args:
            number (int): Of its record.
            text (str): The label.
        """
        self.occurrences.update(text)
        characters = set(text)
        self.labels.update(characters)
        for char in characters - self._frequent:
            found = self._rare.setdefault(char, array('q'))
            found.append(number)
            if len(found) >= self.few:
                self._frequent.add(char)
                del self._rare[char]

    def holders(self, char: str) -> Sequence[int]:
        """Numbers of all records whose labels hold a rare character.

        Args:
            char (str): One in fewer labels than :attr:`few`.
        """
        return self._rare[char]

    def num_holders(self, characters: Set[str]) -> int:
        """How many labels hold at least one of some rare characters."""
        return len(set().union(*map(self.holders, characters)))
