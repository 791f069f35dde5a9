"""Long lists in reports."""
from typing import List, Sequence

#: So much of a list is told in words.
SHOWN = 40


def listed(title: str, lines: Sequence[str]) -> List[str]:
    """A title with a count, the first lines, and how many more there are.

    Args:
        title (str): What they are.
        lines (Sequence[str]): All of them.

    Returns:
        List[str]: Nothing where there are none.
    """
    if not lines:
        return []
    more = len(lines) - SHOWN
    return [
        f'{title}: {len(lines):,}', *(f'  {line}' for line in lines[:SHOWN]),
        *([f'  and {more:,} more (--json lists all)'] if more > 0 else [])
    ]
