"""Tables of benchmarks: a row for each set, Avg and W-Avg; their files."""
import csv
import io
import json
import math
import re
from fractions import Fraction
from operator import mul
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from lmim.datasets.labels.spelling import Spelling
from lmim.utils.atomic import write_atomic

from .benchmark_evaluator import Protocol, WordRecord

#: What is averaged over sets.
FIGURES = ('accuracy', 'exact', 'one_minus_ned')
#: Counts of a row by their heading.
COUNTS = {
    'Too long': 'too_long',
    'Empty': 'empty',
    'Not in dictionary': 'outside'
}
#: What the columns mean.
LEGEND = (
    'Exact: read to the letter. Too long: labels of more characters than the '
    'recognizer',
    'writes. Empty: labels of which the rules leave nothing; read where they '
    'leave nothing',
    'of the reading, either. Not in dictionary: labels with characters that '
    'the recognizer',
    'does not write. All of these words count.',
)


class SetResult(NamedTuple):
    """What was measured on a set. Figures are exact, 1 is all words.

    Attributes:
        name (str): The set.
        samples (int): Number of words.
        accuracy (Fraction): Words read by the protocol.
        exact (Fraction, optional): Words read to the letter.
        one_minus_ned (Fraction, optional): 1 - normalised edit distance.
        too_long (int): Words longer than the recognizer writes.
        empty (int): Words of whose labels the rules leave nothing.
        outside (int): Words with characters outside the dictionary.
        published (int, optional): The published number of words.
        in_average (bool): Whether it counts in Avg and W-Avg.
    """
    name: str
    samples: int
    accuracy: Fraction
    exact: Optional[Fraction] = None
    one_minus_ned: Optional[Fraction] = None
    too_long: int = 0
    empty: int = 0
    outside: int = 0
    published: Optional[int] = None
    in_average: bool = True

    @property
    def as_published(self) -> bool:
        """bool: Whether it has as many words as are published."""
        return self.published in (None, self.samples)

    @classmethod
    def count(cls, name: str, records: Sequence[WordRecord],
              published: Dict[str, Any]) -> 'SetResult':
        """Count the words of a set.

        Args:
            name (str): The set.
            records (Sequence[WordRecord]): Its words, one or more.
            published (Dict[str, Any]): What is published of it.
        """
        samples = len(records)
        distance = math.fsum(record.distance for record in records)
        return cls(
            name,
            samples,
            Fraction(sum(record.correct for record in records), samples),
            Fraction(sum(record.exact for record in records), samples),
            1 - Fraction(distance) / samples,
            too_long=sum(record.too_long for record in records),
            empty=sum(record.empty for record in records),
            outside=sum(record.outside for record in records),
            published=published.get('num_samples'),
            in_average=published.get('in_average', True))


class BenchmarkTable(NamedTuple):
    """The sets of one benchmark, all measured by one protocol.

    Attributes:
        title (str): The benchmark.
        labels (str, optional): Which labels: ``original``, ``corrected``.
        metric (str): What the accuracy is called.
        protocol (str): How it was measured, a line.
        results (List[SetResult]): The sets.
        max_length (int, optional): Most characters that the recognizer
            writes.
    """
    title: str
    labels: Optional[str]
    metric: str
    protocol: str
    results: List[SetResult]
    max_length: Optional[int] = None

    def averages(self) -> List[SetResult]:
        """Avg, the plain mean over the sets, and W-Avg, over their words.

        Returns:
            List[SetResult]: Two rows; none where there are no two sets to
            average.
        """
        sets = [result for result in self.results if result.in_average]
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
    """A figure as it is printed, halves rounded up; '' where there is none.

    Args:
        value (Fraction, optional): The figure; 1 is 100 %.
        digits (int): Digits after the point. Defaults to 1.
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

    Args:
        sets (Sequence[Tuple[SetResult, Dict]]): Each result, and what is
            published of the set; ``benchmark`` and ``labels`` tell its table.
        protocol (Protocol): How accuracy was measured.
        spelling (Spelling, optional): What the recognizer can write.
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

    Args:
        stem (str): Path without the ending.
        tables (Sequence[BenchmarkTable]): The tables.
        **facts (Any): Told beside them in JSON, such as the checkpoint.

    Returns:
        str: What the first of them holds.
    """
    page = to_markdown(tables)
    for ending, text in (('md', page), ('csv', to_csv(tables)),
                         ('json', to_json(tables, **facts))):
        write_atomic(f'{stem}.{ending}', text.encode('utf-8'))
    return page


def to_markdown(tables: Sequence[BenchmarkTable]) -> str:
    """Tables for eyes, each with its protocol above and remarks below.

    Args:
        tables (Sequence[BenchmarkTable]): The tables.
    """
    return '\n'.join([*map(_page, tables), *LEGEND, ''])


def _page(table: BenchmarkTable) -> str:
    """What is told of one table."""
    head = ['Set', 'Samples', f'{table.metric} %', 'Exact %', '1-NED %']
    rows = [[*head, *COUNTS]]
    inside, outside = _by_use(table)
    for result in [*inside, *table.averages(), *outside]:
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
        *_aligned(rows), '', *remarks, *([''] if remarks else [])
    ])


def _by_use(table: BenchmarkTable) -> Tuple[List[SetResult], List[SetResult]]:
    """The sets that count in the averages, and the others."""
    inside = [result for result in table.results if result.in_average]
    return inside, [one for one in table.results if not one.in_average]


def _aligned(rows: Sequence[Sequence[str]]) -> List[str]:
    """Lines of a Markdown table, as wide in each row."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    rule = ['-' * widths[0], *('-' * (width - 1) + ':' for width in widths[1:])
            ]
    lines = []
    for row in [rows[0], rule, *rows[1:]]:
        cells = [cell.rjust(width) for cell, width in zip(row, widths)]
        cells[0] = row[0].ljust(widths[0])
        lines.append(f'| {" | ".join(cells)} |')
    return lines


def _remarks(table: BenchmarkTable) -> List[str]:
    """What a reader has to know of the rows."""
    remarks = []
    inside, outside = _by_use(table)
    if len(inside) > 1:
        remarks.append(f'Avg: plain mean over {len(inside)} sets. '
                       'W-Avg: weighted by their samples.')
        if outside:
            names = ', '.join(result.name for result in outside)
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
    """All tables for machines; figures in percent.

    Args:
        tables (Sequence[BenchmarkTable]): The tables.
        **facts (Any): Told beside them, such as the checkpoint.
    """
    listed = []
    for table in tables:
        entry = table._asdict()
        entry.update(
            sets=[_row(result) for result in entry.pop('results')],
            averages={
                row.name: {name: _row(row)[name]
                           for name in ('samples', *FIGURES)}
                for row in table.averages()
            })
        listed.append(entry)
    return json.dumps(
        dict(facts, tables=listed), ensure_ascii=False, indent=2) + '\n'


def to_csv(tables: Sequence[BenchmarkTable]) -> str:
    """All tables as one sheet, whose first columns tell the table.

    Args:
        tables (Sequence[BenchmarkTable]): The tables.
    """
    file = io.StringIO()
    columns = ['table', 'labels', *SetResult._fields, 'protocol']
    writer = csv.DictWriter(file, columns, lineterminator='\n')
    writer.writeheader()
    writer.writerows(
        dict(_row(result), table=table.title, labels=table.labels,
             protocol=table.protocol)
        for table in tables for result in [*table.results, *table.averages()])
    return file.getvalue()
