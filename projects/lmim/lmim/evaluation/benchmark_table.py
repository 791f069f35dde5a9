"""Tables of benchmarks: a row for each set, Avg and W-Avg; their files."""
import csv
import io
import math
import re
from fractions import Fraction
from operator import mul
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from lmim.datasets.labels.spelling import Spelling
from lmim.utils.atomic import write_atomic
from lmim.utils.json_text import to_json as to_json_text

from .benchmark_evaluator import Protocol, WordRecord

#: What is averaged over sets.
FIGURES = ('accuracy', 'exact', 'one_minus_ned')
#: Counts of a row by their heading.
COUNTS = {'Too long': 'too_long', 'Empty': 'empty',
          'Not in dictionary': 'outside'}
#: What the columns mean.
LEGEND = """\
Exact: read to the letter. Too long: labels of more characters than the
recognizer writes. Empty: labels of which the rules leave nothing, which are
never counted as read. Not in dictionary: labels with characters that the
recognizer does not write. All of these words count.
"""


class SetResult(NamedTuple):
    """What was measured on a set. Figures are exact, 1 is all words."""
    name: str
    samples: int  # number of words
    accuracy: Fraction  # words read by the protocol
    exact: Optional[Fraction] = None  # words read to the letter
    one_minus_ned: Optional[Fraction] = None  # 1 - normalised edit distance
    too_long: int = 0  # words longer than the recognizer writes
    empty: int = 0  # words of whose labels the rules leave nothing
    outside: int = 0  # words with characters outside the dictionary
    published: Optional[int] = None  # the published number of words
    in_average: bool = True  # whether it counts in Avg and W-Avg

    @property
    def as_published(self) -> bool:
        """Whether it has as many words as are published."""
        return self.published in (None, self.samples)

    @classmethod
    def count(cls, name: str, records: Sequence[WordRecord],
              published: Dict[str, Any]) -> 'SetResult':
        """Count a set's words (at least one), and take what is published."""
        samples = len(records)
        distance = math.fsum(record.distance for record in records)
        counts = {name: sum(getattr(record, name) for record in records)
                  for name in ('correct', 'exact', *COUNTS.values())}
        return cls(
            name, samples,
            Fraction(counts.pop('correct'), samples),
            Fraction(counts.pop('exact'), samples),
            1 - Fraction(distance) / samples,
            published=published.get('num_samples'),
            in_average=published.get('in_average', True), **counts)


class BenchmarkTable(NamedTuple):
    """The sets of one benchmark, all measured by one protocol."""
    title: str  # the benchmark
    labels: Optional[str]  # which: original or corrected
    metric: str  # what the accuracy is called
    protocol: str  # how it was measured, a line
    results: List[SetResult]
    max_length: Optional[int] = None  # most characters the recognizer writes

    def inside(self) -> List[SetResult]:
        """The sets that count in the averages."""
        return [result for result in self.results if result.in_average]

    def outside(self) -> List[SetResult]:
        """The sets that do not."""
        return [result for result in self.results if not result.in_average]

    def averages(self) -> List[SetResult]:
        """Avg, the plain mean over the sets, and W-Avg, over their words.

        Returns:
            List[SetResult]: Two rows; none where there are no two sets to
            average.
        """
        sets = self.inside()
        if len(sets) < 2:
            return []
        samples = [result.samples for result in sets]
        rows = []
        for name, weights in (('Avg', [1] * len(sets)), ('W-Avg', samples)):
            figures: Dict[str, Any] = {}
            for figure in FIGURES:
                values = [getattr(result, figure) for result in sets]
                figures[figure] = None if None in values else Fraction(
                    sum(map(mul, values, weights)), sum(weights))
            rows.append(SetResult(name, sum(samples), **figures))
        return rows


def percent(value: Optional[Fraction], digits: int = 1) -> str:
    """A figure, 1 is 100 %, as it is printed, with digits after the point.

    Halves are rounded up; '' where there is no figure.
    """
    if value is None:
        return ''
    scale = 10**digits
    whole = math.floor(value * 100 * scale + Fraction(1, 2))
    return f'{whole // scale}.{whole % scale:0{digits}d}'


def make_tables(sets: Sequence[Tuple[SetResult, Dict[str, Any]]],
                protocol: Protocol,
                spelling: Optional[Spelling]) -> List[BenchmarkTable]:
    """A table for each benchmark and kind of labels.

    With each result comes what is published of the set: ``benchmark`` and
    ``labels`` tell its table.
    """
    groups: Dict[Tuple, List[SetResult]] = {}
    for result, facts in sets:
        key = facts.get('benchmark'), facts.get('labels')
        groups.setdefault(key, []).append(result)
    length = None if spelling is None else spelling.max_length
    tables = []
    for (benchmark, labels), results in groups.items():
        parts = [
            f'{protocol.accuracy} ({protocol.rules})',
            *([f'{labels} labels'] if labels else []), *_splits(results),
            'all words of a set count, whatever their length and characters'
        ]
        if spelling is not None:
            parts.append(
                f'the recognizer writes {len(spelling.characters):,} '
                'characters' + (f', {length} a word' if length else ''))
        tables.append(
            BenchmarkTable(benchmark or 'Results', labels, protocol.accuracy,
                           '; '.join(parts), results, length))
    return tables


def results_by_length(records: Sequence[WordRecord], ends: Sequence[int]
                      ) -> List[Tuple[SetResult, Dict[str, Any]]]:
    """Results of words by the number of characters of their labels.

    Args:
        records (Sequence[WordRecord]): The words.
        ends (Sequence[int]): Where one range ends and the next begins; none
            gives no results.

    Returns:
        List[Tuple]: For each range that has words, as :func:`make_tables`
        takes them; none counts in an average.
    """
    facts = dict(benchmark='By length', in_average=False)
    bounds = [0, *sorted(ends)]
    results = []
    for last, end in zip(bounds, [*bounds[1:], math.inf]) if ends else ():
        some = [record for record in records
                if last < len(record.label) <= end]
        name = f'{last + 1}-{end}' if end < math.inf else f'over {last}'
        if some:
            results.append((SetResult.count(
                f'{name} characters', some, facts), facts))
    return results


def _splits(results: Sequence[SetResult]) -> List[str]:
    """The sizes of sets that are in use in several, as ``IC13_1015``."""
    sizes: Dict[str, List[str]] = {}
    for result in results:
        match = re.fullmatch(r'(.+)_(\d+)', result.name)
        if match and int(match[2]) == result.samples:
            sizes.setdefault(match[1], []).append(f'{result.samples:,}')
    return [f'{name} with {" and again with ".join(counts)} words'
            for name, counts in sizes.items()]


def write_tables(stem: str, tables: Sequence[BenchmarkTable],
                 **facts: Any) -> str:
    """Write tables as ``STEM.md``, ``STEM.csv`` and ``STEM.json``.

    JSON has the facts, such as the checkpoint, beside them. Returns what the
    first file holds.
    """
    page = to_markdown(tables)
    for ending, text in (('md', page), ('csv', to_csv(tables)),
                         ('json', to_json(tables, **facts))):
        write_atomic(f'{stem}.{ending}', text.encode('utf-8'))
    return page


def to_markdown(tables: Sequence[BenchmarkTable]) -> str:
    """Tables for eyes, each with its protocol above and remarks below."""
    return '\n'.join([*map(_page, tables), LEGEND])


def _page(table: BenchmarkTable) -> str:
    """What is told of one table."""
    head = ['Set', 'Samples', f'{table.metric} %', 'Exact %', '1-NED %']
    rows = [[*head, *COUNTS]]
    for result in [*table.inside(), *table.averages(), *table.outside()]:
        average = result.name in ('Avg', 'W-Avg')
        name = result.name.replace('|', '\\|')
        samples = f'{result.samples:,}'
        if not result.as_published:
            samples += f' (published: {result.published:,})'
        figures = [percent(getattr(result, figure)) for figure in FIGURES]
        counts = [f'{getattr(result, count):,}' for count in COUNTS.values()]
        rows.append([
            f'**{name}**' if average else name, samples, *figures,
            *([''] * len(counts) if average else counts)
        ])
    title = f'{table.title}, {table.labels} labels' if table.labels else (
        table.title)
    remarks = [f'- {remark}' for remark in _remarks(table)]
    return '\n'.join([
        f'### {title}', '', f'Protocol: {table.protocol}.', '',
        *aligned(rows), '', *remarks, *([''] if remarks else [])
    ])


def aligned(rows: Sequence[Sequence[str]],
            numbers: bool = True) -> List[str]:
    """Lines of a Markdown table, as wide in each row; the first row heads.

    All columns but the first are set to the right, if they are ``numbers``.
    """
    widths = [max(map(len, column)) for column in zip(*rows)]
    end, justify = (':', str.rjust) if numbers else ('-', str.ljust)
    rule = ['-' * widths[0], *('-' * (width - 1) + end for width in widths[1:])
            ]
    lines = []
    for row in [rows[0], rule, *rows[1:]]:
        cells = [justify(cell, width) for cell, width in zip(row, widths)]
        cells[0] = row[0].ljust(widths[0])
        lines.append(f'| {" | ".join(cells)} |')
    return lines


def _remarks(table: BenchmarkTable) -> List[str]:
    """What a reader has to know of the rows."""
    remarks = []
    if len(table.inside()) > 1:
        remarks.append(f'Avg: plain mean over {len(table.inside())} sets. '
                       'W-Avg: weighted by their samples.')
        if table.outside():
            names = ', '.join(result.name for result in table.outside())
            remarks.append(f'In neither: {names}.')
    other = [one.name for one in table.results if not one.as_published]
    if other:
        remarks.append('Not comparable with published figures, as the number '
                       f'of samples differs: {", ".join(other)}.')
    return remarks


def _row(result: SetResult) -> Dict[str, Any]:
    """A row as plain values; figures in percent."""
    figures = {
        name: None if getattr(result, name) is None else float(
            percent(getattr(result, name), 4))
        for name in FIGURES
    }
    return {**result._asdict(), **figures}


def to_json(tables: Sequence[BenchmarkTable], **facts: Any) -> str:
    """All tables for machines, with facts beside them; figures in percent."""
    listed = []
    for table in tables:
        entry = table._asdict()
        averages = {row.name: {name: _row(row)[name]
                               for name in ('samples', *FIGURES)}
                    for row in table.averages()}
        entry.update(sets=list(map(_row, entry.pop('results'))),
                     averages=averages)
        listed.append(entry)
    return to_json_text(
        dict(facts, tables=listed), ensure_ascii=False, indent=2) + '\n'


def to_csv(tables: Sequence[BenchmarkTable]) -> str:
    """All tables as one sheet, whose first columns tell the table."""
    file = io.StringIO()
    columns = ['table', 'labels', *SetResult._fields, 'protocol']
    writer = csv.DictWriter(file, columns, lineterminator='\n')
    writer.writeheader()
    writer.writerows(
        dict(_row(result), table=table.title, labels=table.labels,
             protocol=table.protocol)
        for table in tables for result in [*table.results, *table.averages()])
    return file.getvalue()
