"""The documents as a site, and the figures in them."""
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.documents import DOCS, REPO

FIGURES = ('method', 'recognizer', 'sign', 'views')


@pytest.fixture(scope='module')
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built in strict mode: any warning is an error."""
    pytest.importorskip('mkdocs', reason='mkdocs is not installed')
    pytest.importorskip('material', reason='mkdocs-material is not installed')
    folder = tmp_path_factory.mktemp('site')
    done = subprocess.run(
        [sys.executable, '-m', 'mkdocs', 'build', '--strict', '--site-dir',
         str(folder)], cwd=REPO, capture_output=True, text=True,
        env=dict(os.environ, NO_MKDOCS_2_WARNING='1'))
    assert done.returncode == 0, done.stderr
    # Files that no menu leads to are listed, and are no warning.
    assert 'not included in the "nav"' not in done.stderr, done.stderr
    return folder


def test_it_is_built(site: Path) -> None:
    for page in DOCS.rglob('*.md'):
        built = site / page.relative_to(DOCS).with_suffix('.html')
        title = page.read_text(encoding='utf-8').splitlines()[0].strip('# ')
        assert title in built.read_text(encoding='utf-8'), page


def test_it_needs_no_network(site: Path) -> None:
    """No script, style, font or picture comes from elsewhere."""
    for page in site.rglob('*.html'):
        text = page.read_text(encoding='utf-8')
        loaded = re.findall(
            r'<(?:script|img|iframe)[^>]*src="([^"]+)"|'
            r'<link[^>]*rel="(?:stylesheet|preconnect|icon)"[^>]*href="'
            r'([^"]+)"|<link[^>]*href="([^"]+)"[^>]*rel="stylesheet"', text)
        assert loaded
        for url in filter(None, sum(loaded, ())):
            assert '//' not in url, f'{page} loads {url}'
    for style in site.rglob('*.css'):
        assert not re.search(r'url\(["\']?(https?:)?//', style.read_text())


def test_links_to_the_code_are_on_it(site: Path) -> None:
    page = (site / 'model_zoo.html').read_text(encoding='utf-8')
    name = ('source/configs/pretrain/lmim/'
            'lmim_vit-small_8xb64-10e_union14m-u.py.txt')
    assert f'href="{name}"' in page
    assert (site / name).read_bytes() == (
        REPO / name[len('source/'):-len('.txt')]).read_bytes()
    for built in site.rglob('*.html'):
        for link in re.findall(r'href="([^"#:]+)[#"]',
                               built.read_text(encoding='utf-8')):
            if built.name != '404.html':
                assert (built.parent / link).exists(), f'{built}: {link}'


def test_the_figures_are_those_that_are_drawn(tmp_path: Path) -> None:
    """Of the size that the script makes, with ink in them."""
    runpy.run_path(str(DOCS / 'draw_figures.py'))['main'](tmp_path)
    for name in FIGURES:
        kept = cv2.imread(str(DOCS / f'images/{name}.png'))
        drawn = cv2.imread(str(tmp_path / f'{name}.png'))
        assert kept.shape == drawn.shape, name
        # Other versions of the libraries move letters a little.
        small = [cv2.resize(image, (60, 20), interpolation=cv2.INTER_AREA)
                 .astype(int) for image in (kept, drawn)]
        assert np.abs(small[0] - small[1]).mean() < 6, name
        assert (kept < 128).mean() > 0.005, name
