"""Write the chapter on GPUs of docs/performance.md from a report.

    python tools/gpu_report/chapter.py REPORT.json docs/performance.md

The chapter of the page, up to the next heading of its level, is replaced
whole. Without a page the chapter is printed.
"""
import json
import re
import sys
from pathlib import Path
from typing import Any, Dict, List

HEADING = '## On a GPU'
#: Of each table: its heading, and what it shows.
TABLES = {
    'references': ('Reference numbers', 'Numbers of the published codes '
                   'against ours, in fp32 on the device: outputs that are '
                   'compared, those that miss what is allowed, the worst.'),
    'texts': ('Texts', 'Rendered words read by the shipped reader: how many '
              'texts differ from those that the CPU reads in fp32.'),
    'precisions': ('Losses', 'LMIM, one batch with the same patches hidden: '
                   'bfloat16 and torch.compile against fp32.'),
    'peak': ('Peak', 'A product of large matrices in bfloat16, the 100 % of '
             'the shares below.'),
    'steps': ('Training steps', 'Losses, gradients and AdamW in bfloat16, '
              'batches that lie on the device. Operations are counted, not '
              'estimated; memory is what torch allocated at most.'),
    'beside plain': ('Beside the plain reference', 'Ours in bfloat16 and the '
                     'plain reference in fp16 autocast, in turns within one '
                     'run.'),
    'kernels': ('Kernels', 'Where the time of one eager step of LMIM goes: '
                'the twenty that take most.'),
    'gaps': ('Gaps', 'Of the same step: how long the device had nothing to '
             'do, and what copies took.'),
    'loading': ('Loading', 'Pictures a second of both views, by the number '
                'of workers, from an LMDB and rendered on the fly; also with '
                'guidance views that the device makes.'),
    'waiting': ('Waiting', 'LMIM trained on loaded batches: the share of the '
                'time that it waits for the next batch.'),
    'budget': ('Budget', 'Of the comparison that follows, made to fit the '
               'minutes that were left.'),
    'learning': ('Learning', 'Words read right (%, case and punctuation '
                 'ignored) after fine-tuning on rendered words, one seed.'),
    'parts': ('Parts', 'How long each part of the script took.'),
}


def table(rows: List[Dict[str, Any]]) -> str:
    """Rows in Markdown; a column for each name that any row has."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names, ['---'] * len(names)] + [
        [str(row.get(name, '')).replace('|', r'\|').replace('\n', ' ')
         for name in names] for row in rows]
    return '\n'.join(f'| {" | ".join(row)} |' for row in cells)


def chapter(report: Dict[str, Any]) -> str:
    """The chapter of a report, in Markdown."""
    machine = ', '.join(f'{key} {value}' for key, value
                        in report.get('machine', {}).items())
    trial = (' **Only a trial of the script itself: these are no '
             'measurements.**' if report['quick'] else '')
    parts = [f'{HEADING}\n\nBy `bash tools/gpu_report.sh`, written from its '
             f'report. {machine}.{trial}']
    tables = {**report['tables'], 'parts': report['parts']}
    for name, (heading, text) in TABLES.items():
        if tables.get(name):
            parts.append(f'### {heading}\n\n{text}\n\n{table(tables[name])}')
    return '\n\n'.join(parts) + '\n'


def replace_chapter(page: str, text: str) -> str:
    """A page with the chapter in the place of the one that it has.

    Raises:
        ValueError: If it has none.
    """
    found = re.search(rf'^{re.escape(HEADING)}\n.*?(?=^## |\Z)', page,
                      re.DOTALL | re.MULTILINE)
    if found is None:
        raise ValueError(f'the page has no chapter {HEADING!r}')
    return f'{page[:found.start()]}{text}\n{page[found.end():]}'


def main(argv: List[str]) -> int:
    """Print the chapter, or put it into a page."""
    if not 1 <= len(argv) <= 2:
        sys.exit(__doc__)
    text = chapter(json.loads(Path(argv[0]).read_text()))
    if len(argv) == 1:
        print(text)
    else:
        page = Path(argv[1])
        page.write_text(replace_chapter(page.read_text(), text))
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
