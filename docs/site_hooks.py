"""MkDocs: links from the pages to files of the repository work on the site.

On a code host `../configs/x.py` leads from a page to the file. The site has
only docs/, so that each file that is linked to is put beside the pages, under
`source/`, and the link is turned there.
"""
import re
from pathlib import Path
from posixpath import relpath
from typing import Any, Iterator, Tuple

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
_LINK = re.compile(r'(\]\()((?:\.\./)+)([^)#\s]+)(?=[)#])')


def _outside(page: Path, link: str) -> Tuple[Path, bool]:
    """Where a link leads, and whether that is outside of docs/."""
    target = (page.parent / link).resolve()
    return target, ROOT / 'docs' not in target.parents


def _linked(page: Path) -> Iterator[Path]:
    """The files outside of docs/ that a page links to."""
    for _, ups, path in _LINK.findall(page.read_text(encoding='utf-8')):
        target, outside = _outside(page, ups + path)
        if outside and target.is_file():
            yield target


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files that are linked to."""
    for page in list(files.documentation_pages()):
        for target in _linked(Path(str(page.abs_src_path))):
            uri = _uri(target)
            if files.get_file_from_path(uri) is None:
                files.append(File.generated(
                    config, uri, abs_src_path=str(target)))
    return files


def on_page_markdown(markdown: str, page: Any, **kwargs: Any) -> str:
    """Turn the links there."""
    source = Path(str(page.file.abs_src_path))

    def turned(match: 're.Match[str]') -> str:
        target, outside = _outside(source, match[2] + match[3])
        if not outside:
            return match[0]
        folder = str(Path(page.file.src_uri).parent)
        return match[1] + relpath(_uri(target), folder)

    return _LINK.sub(turned, markdown)


def _uri(target: Path) -> str:
    """Its place on the site.

    As text, which a browser shows, and no dotfile, which MkDocs leaves out.
    """
    path = target.relative_to(ROOT).as_posix()
    return f'source/{path.lstrip(".")}.txt'
