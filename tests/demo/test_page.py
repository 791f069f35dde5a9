"""The page, as a user sees it, in a browser without a screen."""
import importlib.util
from pathlib import Path
from typing import Dict, Iterator
from urllib.parse import urlsplit

import cv2
import matplotlib
import pytest

from lmim import TextRecognizer
from lmim.rendering import STYLES, RenderedWords, WordRenderer
from tests.demo.browser import PageUser, find_browser, open_browser
from tests.demo.server import Server, serving
from tests.apis.conftest import write_checkpoint
from tests.tool_runs import mini_config

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec('gradio') is None,
    reason='gradio is not installed: pip install "lmim[demo]"')
MB = 2**20


@pytest.fixture(scope='module')
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Path]:
    """The paper's recognizer, and one with CTC."""
    folder = tmp_path_factory.mktemp('checkpoints')
    config = mini_config('textrecog/lmim')
    ctc = config.with_name(config.name.replace('lmim_', 'lmim-ctc_'))
    return {'lmim.pth': write_checkpoint(folder / 'lmim.pth', config),
            'ctc.pth': write_checkpoint(folder / 'ctc.pth', ctc)}


@pytest.fixture(scope='module')
def server(tmp_path_factory: pytest.TempPathFactory,
           checkpoints: Dict[str, Path]) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp('server')
    with serving(folder, '--checkpoint', *checkpoints.values(),
                 '--max-mb', 1) as server:
        yield server


@pytest.fixture(scope='module')
def user(server: Server, tmp_path_factory: pytest.TempPathFactory
         ) -> Iterator[PageUser]:
    pytest.importorskip('selenium', reason='selenium is not installed')
    if not find_browser():
        pytest.skip('there is no chromium with chromedriver')
    with open_browser(tmp_path_factory.mktemp('browser')) as driver:
        yield PageUser(driver, server.address)


@pytest.fixture(scope='module')
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Path]:
    """Two words, a file that is no picture, and one that is too large."""
    folder = tmp_path_factory.mktemp('pictures')
    words = RenderedWords(2, renderer=WordRenderer(**STYLES['print']), seed=5)
    for name, sample in zip(('first', 'second'), words):
        cv2.imwrite(str(folder / f'{name}.png'), sample.image)
    (folder / 'broken.png').write_bytes(b'<b>no</b> picture')
    (folder / 'large.png').write_bytes(bytes(MB + 1))
    return {path.stem: path for path in folder.iterdir()}


def test_an_upload_is_read(user: PageUser, checkpoints: Dict[str, Path],
                           pictures: Dict[str, Path]) -> None:
    user.upload(pictures['first'])
    shown = user.text_of('.lmim-text')
    word = TextRecognizer(checkpoints['lmim.pth'],
                          device='cpu')(pictures['first'])[0]
    assert shown == word.text and len(shown) > 1
    assert user.texts_of('.lmim-char') == list(word.text)
    assert user.texts_of('.lmim-number') == [
        f'{score:.2f}' for score in word.char_scores]
    assert user.text_of('.lmim-score').endswith(f' {word.score:.3f}')
    # Pictures that the browser could draw, one for each character.
    assert user.driver.execute_script(
        'return Array.from(document.querySelectorAll(".lmim-cell img"))'
        '.filter(each => each.naturalWidth > 50).length') == len(shown)


def test_a_picture_is_pasted(user: PageUser, checkpoints: Dict[str, Path],
                             pictures: Dict[str, Path]) -> None:
    """In the place of the one that is there."""
    before = user.text_of('.lmim-text')
    user.paste(pictures['second'])
    word = TextRecognizer(checkpoints['lmim.pth'],
                          device='cpu')(pictures['second'])[0]
    assert word.text != before
    user.wait(lambda: user.text_of('.lmim-text') == word.text)


def test_another_checkpoint_is_picked(
        user: PageUser, checkpoints: Dict[str, Path],
        pictures: Dict[str, Path]) -> None:
    note = user.text_of('.lmim-note')
    user.pick('ctc.pth')
    user.wait(lambda: user.text_of('.lmim-note') != note)
    word = TextRecognizer(checkpoints['ctc.pth'],
                          device='cpu')(pictures['second'])[0]
    assert user.text_of('.lmim-text') == word.text
    assert 'no attention' in user.text_of('.lmim-note')
    assert user.texts_of('.lmim-cell img') == []


def test_what_is_no_picture_is_told(user: PageUser,
                                    pictures: Dict[str, Path]) -> None:
    user.upload(pictures['broken'])
    told = user.text_of('.lmim-problem')
    assert told.startswith('This file cannot be read as a picture: its 17 ')
    assert "begin with b'<b>no</b'" in told and told.endswith('or TIFF.')
    assert 'Traceback' not in user.driver.page_source


def test_what_is_too_large_is_told(user: PageUser, server: Server,
                                   pictures: Dict[str, Path]) -> None:
    user.upload(pictures['large'])
    told = user.text_of('.toast-body')
    assert 'exceed the maximum allowed size of 1.0 Mb: "large.png"' in told
    # Who sends it without the page is refused too, and nothing is kept.
    assert server.upload(pictures['large'].read_bytes()) == 413
    assert server.upload(bytes(100)) == 200
    assert max(map(len, server.uploads())) < MB


def test_nothing_but_uploads_and_named_checkpoints_is_opened(
        server: Server, checkpoints: Dict[str, Path],
        pictures: Dict[str, Path]) -> None:
    """Whatever a page sends that is not ours."""
    path = str(pictures['first'])
    stolen = server.call('lmim.pth', dict(
        path=path, meta={'_type': 'gradio.FileData'}))
    assert 'lmim-text' not in stolen and '"success":false' in stolen
    link = 'http://example.invalid/word.png'  # the notes tell who was called
    assert '"success":false' in server.call('lmim.pth', dict(
        path=link, url=link, meta={'_type': 'gradio.FileData'}))
    assert f'{link} is not fetched' in server.errors
    other = server.call(str(checkpoints['lmim.pth']), None)
    assert 'is not in the list of choices' in other
    assert server.fetch(f'gradio_api/file={path}') == 403


def test_no_request_leaves_the_machine(user: PageUser,
                                       server: Server) -> None:
    addresses = user.requests()
    assert server.address in addresses and len(addresses) > 20
    hosts = {urlsplit(address).hostname for address in addresses
             if not address.startswith(('data:', 'blob:', 'chrome:'))}
    assert hosts == {'127.0.0.1'}
    called = {told for event, told in server.notes
              if event.startswith('socket.')}
    assert called and called <= {'127.0.0.1', 'localhost', 'None'}


def test_nothing_is_left(server: Server) -> None:
    """Comes last: the server ends."""
    assert server.uploads()
    before = server.errors
    assert server.end() == 0, server.errors
    assert server.errors == before
    assert list(server.temporary.iterdir()) == []
    written = [told for event, told in server.notes
               if not event.startswith('socket.')]
    # What libraries keep for themselves; Gradio once in its life.
    gradio = importlib.util.find_spec('gradio')
    assert gradio is not None and gradio.origin is not None
    caches = (str(server.folder / 'torch'), matplotlib.get_cachedir(),
              matplotlib.get_configdir(),
              str(Path(gradio.origin).with_name('hash_seed.txt')))
    assert len(written) > 10
    assert [path for path in written if not path.startswith(
        (str(server.temporary), *caches, '/dev/', '/proc/'))] == []
