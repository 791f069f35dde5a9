"""Why records were left out, or are suspicious, counted by kind."""
import re
from collections import Counter
from typing import Any, Dict, List, Optional

#: So many records are named in a result, and in its report.
NAMED_AT_MOST = 20
#: More kinds than this are not told apart.
KINDS_AT_MOST = 100
OTHER = 'other reasons'
#: What tells one record's reason from another's of the same kind: quoted
#: bytes and names, and numbers.
_DETAIL = re.compile(r"""
    b?'(?:\\.|[^'\\])*' | b?"(?:\\.|[^"\\])*" | \d[\d,.]*\d | \d
    """, re.VERBOSE)


class Reasons:
    """Counts kinds of reasons and names the first records.

    Its memory does not grow with the number of records.
    """

    def __init__(self) -> None:
        self.counts: Counter = Counter()
        self.first: List[Dict[str, str]] = []

    def add(self, name: str, reason: str, kind: Optional[str] = None) -> None:
        """Count a record in.

        Args:
            name (str): Its name, as a person knows it.
            reason (str): Why, with details.
            kind (str, optional): The same without details. Defaults to the
                reason without numbers and quotations.
        """
        kind = kind or _DETAIL.sub('...', reason)
        if kind not in self.counts and len(self.counts) >= KINDS_AT_MOST:
            kind = OTHER
        self.counts[kind] += 1
        if len(self.first) < NAMED_AT_MOST:
            self.first.append({'record': name, 'reason': reason})

    @property
    def total(self) -> int:
        """int: How many reasons there were."""
        return sum(self.counts.values())

    def result(self) -> Dict[str, Any]:
        """The counts, most frequent first, and the first records."""
        return {
            'total': self.total,
            'counts': dict(self.counts.most_common()),
            'first': self.first
        }


def tell_reasons(result: Dict[str, Any], title: str) -> List[str]:
    """Lines of a report.

    Args:
        result (Dict[str, Any]): As :meth:`Reasons.result` gives it.
        title (str): What happened to these records.
    """
    lines = [f'{title}, {kind}: {count:,}'
             for kind, count in result['counts'].items()]
    lines += [f'  {item["record"]}: {item["reason"]}'
              for item in result['first']]
    more = result['total'] - len(result['first'])
    if more > 0:
        lines.append(f'  and {more:,} more')
    return lines
