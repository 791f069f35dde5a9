"""Tables of names that are read in both directions."""
import re
from typing import Iterable, List, Optional, Pattern, Sequence, Tuple

#: A row of a table: a name in a format, and what our modules call it.
Row = Tuple[str, str]

#: What may stand in a name: a number, the parameter of a layer, a projection
#: of MMOCR's attention, and whatever comes.
_PLACES = {
    'n': r'\d+',
    'p': 'weight|bias',
    'q': 'linear_q|linear_k|linear_v|fc',
    'rest': '.+',
}


class NameTable:
    """Names of weights in a format, and in our modules.

    Args:
        rows (Sequence[Row]): Pairs of names, theirs and ours. ``{n}``,
            ``{p}``, ``{q}`` and ``{rest}`` stand for what both have in their
            places.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = [(theirs, ours, _pattern(theirs), _pattern(ours))
                     for theirs, ours in rows]

    def ours(self, name: str) -> Optional[str]:
        """Our name for one of theirs, or None where the table has none."""
        for _, ours, pattern, _ in self.rows:
            match = pattern.match(name)
            if match:
                return ours.format(**match.groupdict())
        return None

    def theirs(self, name: str) -> Optional[str]:
        """Their name for one of ours, or None where the table has none."""
        for theirs, _, _, pattern in self.rows:
            match = pattern.match(name)
            if match:
                return theirs.format(**match.groupdict())
        return None

    def lacking(self, names: Iterable[str], part: str) -> List[str]:
        """The rows of a part that no name is in.

        Args:
            names (Iterable[str]): Our names.
            part (str): What our names of that part start with.

        Returns:
            List[str]: Their names for these rows.
        """
        names = list(names)
        return [
            theirs for theirs, ours, _, pattern in self.rows
            if ours.startswith(part) and not any(map(pattern.match, names))
        ]


def _pattern(template: str) -> Pattern[str]:
    text = re.escape(template)
    for place, what in _PLACES.items():
        text = text.replace(re.escape('{%s}' % place), f'(?P<{place}>{what})')
    return re.compile(text + r'\Z')
