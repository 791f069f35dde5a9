"""Tables of benchmarks as Markdown, CSV and JSON."""
import csv
import io
import json
from typing import Any, Dict, List, Sequence

from lmim.engine.fileio import write_atomic

from .benchmark_table import FIGURES, BenchmarkTable, SetResult, percent

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
    for result in [*table.averaged, *table.averages(), *table.left_out]:
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
    if table.averages():
        remarks.append(f'Avg: plain mean over {len(table.averaged)} sets. '
                       'W-Avg: weighted by their samples.')
    if table.averages() and table.left_out:
        names = ', '.join(result.name for result in table.left_out)
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
    for table in tables:
        for result in [*table.results, *table.averages()]:
            writer.writerow(
                dict(
                    _row(result),
                    table=table.title,
                    labels=table.labels,
                    protocol=table.protocol))
    return file.getvalue()
