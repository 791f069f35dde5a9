"""The findings in words."""
import io
import sys
from itertools import groupby
from typing import Any, Dict, List

from .finding import NOTE, OK, WRONG, Finding

STYLES = {OK: 'green', NOTE: 'yellow', WRONG: 'bold red'}


def counts(findings: List[Finding]) -> Dict[str, int]:
    """How many there are of each level."""
    return {level: sum(each.level == level for each in findings)
            for level in (WRONG, NOTE, OK)}


def summary(findings: List[Finding]) -> str:
    """The last line."""
    number = counts(findings)
    told = (f'{number[WRONG]} wrong, {number[NOTE]} to note, {number[OK]} ok')
    if number[WRONG]:
        return f'{told}. What mends it:'
    return f'{told}. Nothing keeps lmim from working here.'


def as_json(findings: List[Finding]) -> Dict[str, Any]:
    """All of it, of types that JSON has."""
    number = counts(findings)
    return {'ok': not number[WRONG], 'counts': number,
            'findings': [each._asdict() for each in findings]}


def plain(findings: List[Finding]) -> str:
    """For logs, and where rich is not installed."""
    lines: List[str] = []
    width = max((len(each.name) for each in findings), default=0)
    for section, group in groupby(findings, lambda each: each.section):
        lines += [section]
        for each in group:
            lines.append(f'  {each.level:5}  {each.name:{width}}  {each.text}')
            if each.command:
                lines.append(f'  {"":5}  {"":{width}}    $ {each.command}')
    return '\n'.join([*lines, '', summary(findings), *_mends(findings)])


def show(findings: List[Finding]) -> None:
    """Print it: in colours on a terminal, else plainly."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A path or a font may have what a terminal's encoding lacks.
        sys.stdout.reconfigure(errors='backslashreplace')
    if not sys.stdout.isatty():
        print(plain(findings))
        return
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        print(plain(findings))
        return
    console = Console(highlight=False)
    for section, group in groupby(findings, lambda each: each.section):
        table = Table(box=None, show_header=False, title=section,
                      title_justify='left', title_style='bold',
                      pad_edge=False)
        table.add_column(width=5)
        table.add_column(max_width=28)
        table.add_column()
        for each in group:
            text = Text(each.text)
            if each.command:
                text.append(f'\n$ {each.command}', 'cyan')
            table.add_row(Text(each.level, STYLES[each.level]),
                          Text(each.name), text)
        console.print(table)
        console.print()
    level = next(level for level, number in counts(findings).items() if number)
    console.print(Text(summary(findings), STYLES[level]))
    for line in _mends(findings):
        console.print(Text(line, 'cyan'), soft_wrap=True)


def _mends(findings: List[Finding]) -> List[str]:
    """The commands of what is wrong, each once, ready to be copied."""
    return list(dict.fromkeys(
        f'  {each.command}' for each in findings if each.level == WRONG))
