"""What the documents tell a reader to type, and where they point."""
import re
from pathlib import Path
from typing import Iterator, List, NamedTuple, Optional

REPO = Path(__file__).resolve().parent.parent
DOCS = REPO / 'docs'
CONFIGS = sorted(path for path in (REPO / 'configs').rglob('*.py')
                 if '_base_' not in path.parts)
DOCUMENTS = sorted([
    REPO / 'README.md', REPO / 'README.zh-CN.md',
    REPO / 'projects/lmim/README.md', REPO / 'CHANGELOG.md',
    *DOCS.rglob('*.md')
])

_FENCE = re.compile(r'^```(\w*)\n(.*?)^```$', re.M | re.S)
_LINK = re.compile(r'\[[^\]]*\]\(([^)\s]+)\)')
_BEFORE = re.compile(r'^Continues \[[^\]]*\]\((\S+?)(?:#\S+)?\)', re.M)
_PATH = re.compile(
    r'(?<![\w/.-])((?:configs|tools|docs|tests|projects)/[\w./-]*\w)')


class Block(NamedTuple):
    """A fenced block: its first line's number, language and text."""
    line: int
    language: str
    text: str


class Command(NamedTuple):
    """A command line of a document."""
    document: str
    line: int
    text: str

    def __str__(self) -> str:
        return f'{self.document}, line {self.line}: {self.text}'


def blocks(document: Path) -> List[Block]:
    """All fenced blocks of a document."""
    text = document.read_text(encoding='utf-8')
    return [
        Block(text.count('\n', 0, match.start()) + 2, *match.groups())
        for match in _FENCE.finditer(text)
    ]


def commands(document: Path, block: Block) -> Iterator[Command]:
    """The commands of a block: continued lines are joined, comments go."""
    name = str(document.relative_to(REPO))
    begun, line = '', block.line
    for number, text in enumerate(block.text.splitlines(), block.line):
        line = line if begun else number
        begun += re.sub(r'(^|\s)#.*', '', text).strip()
        if begun.endswith('\\'):
            begun = begun[:-1]
            continue
        if begun:
            yield Command(name, line, begun)
        begun = ''


def typed(document: Path) -> List[Block]:
    """The blocks that a reader types or writes into a file."""
    return [block for block in blocks(document)
            if block.language in ('bash', 'python')]


def page_before(document: Path) -> Optional[Path]:
    """The page that one whose paragraph begins `Continues [name](page)` is
    typed after."""
    found = _BEFORE.search(document.read_text(encoding='utf-8'))
    return (document.parent / found.group(1)).resolve() if found else None


def english(document: Path) -> Optional[Path]:
    """The page that a Chinese one tells in Chinese; None for others."""
    if document.name.endswith('.zh-CN.md'):
        return document.with_name(document.name.replace('.zh-CN', ''))
    return DOCS / document.name if document.parent.name == 'zh' else None


def links(document: Path) -> List[str]:
    """Targets of links within the repository, `#anchor` included."""
    text = _FENCE.sub('', document.read_text(encoding='utf-8'))
    return [link for link in _LINK.findall(text) if '://' not in link]


def paths(document: Path) -> List[str]:
    """Paths of the repository that are named anywhere in a document."""
    return _PATH.findall(document.read_text(encoding='utf-8'))


def anchors(document: Path) -> List[str]:
    """Anchors of a document's headings, as GitHub makes them."""
    text = _FENCE.sub('', document.read_text(encoding='utf-8'))
    headings = re.findall(r'^#+ (.+)$', text, re.M)
    return [
        re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-')
        for heading in headings
    ]


def table_rows(document: Path, heading: str) -> List[List[str]]:
    """The cells of a section's table, without its head."""
    text = document.read_text(encoding='utf-8')
    section = re.split(r'^#+ ', text.split(f'# {heading}\n', 1)[1],
                       maxsplit=1, flags=re.M)[0]
    rows = [line.strip('|').split(' | ') for line in section.splitlines()
            if line.startswith('|')]
    return [[cell.strip() for cell in row] for row in rows[2:]]
