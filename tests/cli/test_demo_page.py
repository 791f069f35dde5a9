"""The page as it is served, and as a browser without a screen shows it."""
import base64
import http.client
import importlib.util
import inspect
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple
from urllib.parse import urlsplit

import cv2
import pytest

from lmim import TextRecognizer
from lmim.datasets.pictures import render_some
from tests.apis.conftest import write_checkpoint
from tests.processes import free_port
from tests.tool_runs import REPO, mini_config

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec('gradio') is None,
    reason='gradio is not installed: pip install "lmim[demo]"')
MB = 2**20
BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
SECONDS = 120  # on a busy machine
#: Notes whom the process calls, then serves the page.
WATCHED = """
import os, sys
notes = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def note(event, args):
    if event in ('socket.getaddrinfo', 'socket.connect'):
        who = args[event == 'socket.connect']
        who = who[0] if isinstance(who, tuple) else who
        who = who.decode() if isinstance(who, bytes) else who
        os.write(notes, f'{who}\\n'.encode())
sys.addaudithook(note)
from lmim.cli.demo import main
sys.exit(main(sys.argv[1:]))
"""


class Server:
    """`lmim demo` in a process of its own, watched."""

    def __init__(self, folder: Path, *args: Any) -> None:
        self.folder, self.temporary = folder, folder / 'tmp'
        self.temporary.mkdir()
        with open(folder / 'errors', 'w') as errors:
            self.process = subprocess.Popen(
                [sys.executable, '-c', WATCHED, str(folder / 'notes'),
                 *map(str, args), '--port', str(free_port()), '--device',
                 'cpu', '--json'], cwd=folder,
                env=dict(os.environ, TMPDIR=str(self.temporary),
                         PYTHONPATH=str(REPO / 'projects/lmim'),
                         # What torch makes when imported.
                         TORCHINDUCTOR_CACHE_DIR=str(folder / 'torch'),
                         OMP_NUM_THREADS='1'),
                stdout=subprocess.PIPE, stderr=errors, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.errors
        self.address: str = json.loads(line)['address']

    @property
    def errors(self) -> str:
        return (self.folder / 'errors').read_text()

    def uploads(self) -> List[bytes]:
        """The files that are in its temporary folder."""
        return [path.read_bytes() for path in self.temporary.rglob('*')
                if path.is_file()]

    def ask(self, place: str, body: Any = None,
            kind: str = 'application/json') -> Tuple[int, str]:
        """Get a place, or post to it: status and text of the answer."""
        request = urllib.request.Request(
            self.address + place, body, {'Content-Type': kind})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=SECONDS) as page:
                return page.status, page.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def upload(self, value: bytes) -> int:
        """Send a file without a page; the status of the answer."""
        body = (b'--limit\r\nContent-Disposition: form-data; name="files"; '
                b'filename="word.png"\r\nContent-Type: image/png\r\n\r\n' +
                value + b'\r\n--limit--\r\n')
        return self.ask('gradio_api/upload', body,
                        'multipart/form-data; boundary=limit')[0]

    def call(self, *data: Any) -> str:
        """Ask as the page does, with any data; what the server answers."""
        events = json.loads(self.ask('config')[1])['dependencies']
        reading = next(event['id'] for event in events
                       if len(event['inputs']) == 2)
        self.ask('gradio_api/queue/join', json.dumps(dict(
            data=data, fn_index=reading, session_hash='name')).encode())
        return self.ask('gradio_api/queue/data?session_hash=name')[1]

    def end(self) -> int:
        """End it; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS)


@pytest.fixture(scope='module')
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Path]:
    """The paper's recognizer, and one with CTC."""
    folder = tmp_path_factory.mktemp('checkpoints')
    config = mini_config('textrecog/transformer')
    ctc = mini_config('textrecog/ctc')
    return {'lmim.pth': write_checkpoint(folder / 'lmim.pth', config),
            'ctc.pth': write_checkpoint(folder / 'ctc.pth', ctc)}


@pytest.fixture(scope='module')
def server(tmp_path_factory: pytest.TempPathFactory,
           checkpoints: Dict[str, Path]) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp('server'), '--checkpoint',
                    *checkpoints.values(), '--max-mb', 1)
    yield server
    if server.process.poll() is None:
        server.end()
    assert server.process.stdout is not None
    server.process.stdout.close()


@pytest.fixture(scope='module')
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Path]:
    """Two words, a file that is no picture, and one that is too large."""
    folder = tmp_path_factory.mktemp('pictures')
    for name, image in zip(('first', 'second'), render_some(2).values()):
        cv2.imwrite(str(folder / f'{name}.png'), image)
    (folder / 'broken.png').write_bytes(b'<b>no</b> picture')
    (folder / 'large.png').write_bytes(bytes(MB + 1))
    return {path.stem: path for path in folder.iterdir()}


@pytest.fixture(scope='module')
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser that reaches nothing but this machine."""
    webdriver: Any = pytest.importorskip('selenium.webdriver')
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None or shutil.which('chromedriver') is None:
        pytest.skip('there is no chromium with chromedriver')
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in ('--headless=new', '--window-size=1100,760',
                     f'--user-data-dir={tmp_path_factory.mktemp("browser")}',
                     '--no-first-run', '--disable-background-networking',
                     '--disable-dev-shm-usage', '--disable-gpu', '--lang=en',
                     '--host-resolver-rules='
                     'MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'):
        options.add_argument(argument)
    if hasattr(os, 'geteuid') and os.geteuid() == 0:
        options.add_argument('--no-sandbox')
    options.set_capability('goog:loggingPrefs', {'performance': 'ALL'})
    # With its path given, selenium looks for no driver and loads none down.
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(
        executable_path=shutil.which('chromedriver')))
    yield driver
    driver.quit()


def requests_of(driver: Any) -> List[str]:
    """Addresses that were asked for since the last call of this."""
    entries = [json.loads(entry['message'])['message']
               for entry in driver.get_log('performance')]
    return [entry['params'].get('url') or entry['params']['request']['url']
            for entry in entries if entry['method'] in (
                'Network.requestWillBeSent', 'Network.webSocketCreated')]


PASTE = """
const bytes = Uint8Array.from(atob(arguments[0]), c => c.charCodeAt(0));
const data = new DataTransfer();
data.items.add(new File([bytes], "pasted.png", {type: "image/png"}));
document.body.dispatchEvent(new ClipboardEvent("paste",
                            {clipboardData: data, bubbles: true}));
"""
DRAWN = """
return Array.from(document.querySelectorAll("#looks img")).filter(
    each => each.naturalWidth > 50).length
"""
MESSAGES = """
return Array.from(document.querySelectorAll(".toast-body")).map(
    each => each.textContent).join(" ")
"""


def test_an_upload_is_read(driver: Any, server: Server,
                           checkpoints: Dict[str, Path],
                           pictures: Dict[str, Path]) -> None:
    """Then one is pasted, another checkpoint is picked, and so on."""
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.support.ui import WebDriverWait

    def every(selector: str) -> List[Any]:
        return driver.find_elements('css selector', selector)

    def value(box: str) -> str:
        return every(f'{box} textarea, {box} input')[0].get_property('value')

    def wait(condition: Callable[[], Any]) -> Any:
        """Everything drawn is waited for: a box may follow another late."""
        return WebDriverWait(
            driver, SECONDS, 0.1, [StaleElementReferenceException]
        ).until(lambda _: condition(), inspect.getsource(condition))

    def upload(name: str) -> None:
        wait(lambda: every('#picture input[type=file]'))[0].send_keys(
            str(pictures[name]))

    requests_of(driver)  # of the browser's own page at the start
    driver.get(server.address)
    words = {(name, picture): TextRecognizer(checkpoints[name], device='cpu')(
        pictures[picture])[0] for name, picture in [
            ('lmim.pth', 'first'), ('lmim.pth', 'second'),
            ('ctc.pth', 'second')]}
    assert len({word.text for word in words.values()}) == 3
    word = words['lmim.pth', 'first']
    upload('first')
    wait(lambda: word.text == value('#text'))
    wait(lambda: f': {word.score:.3f}. For each character' in value('#note'))
    wait(lambda: [caption.text for caption in every(
        '#looks .caption-label')] == [word.text] + [
            f'{char} {score:.2f}'
            for char, score in zip(word.text, word.char_scores)])
    wait(lambda: driver.execute_script(DRAWN) == 1 + len(word.text))
    driver.execute_script(PASTE, base64.b64encode(
        pictures['second'].read_bytes()).decode())
    wait(lambda: value('#text') == words['lmim.pth', 'second'].text)
    every('#checkpoint input')[0].click()
    # Options have their text only once they are drawn.
    wait(lambda: [option for option in every('[role=option]')
                  if option.text.split()[-1:] == ['ctc.pth']])[0].click()
    wait(lambda: 'no attention' in value('#note'))
    word = words['ctc.pth', 'second']
    wait(lambda: value('#text') == word.text)
    wait(lambda: driver.execute_script(DRAWN) == 1)  # with the boxes
    cells = [word.text[0], f'{word.char_scores[0]:.2f}']
    wait(lambda: [cell.text for cell in every('#table [role=gridcell]')
                  if cell.text][:2] == cells)
    upload('broken')
    wait(lambda: value('#text') == '')
    wait(lambda: "they begin with b'<b>no</b'" in value('#note'))
    upload('large')
    # A message fades in and out, and its visible text with it.
    wait(lambda: 'exceed the maximum allowed size of 1.0 Mb: "large.png"' in
         driver.execute_script(MESSAGES))
    assert 'Traceback' not in driver.page_source
    addresses = requests_of(driver)
    assert server.address in addresses and len(addresses) > 20
    assert {urlsplit(address).hostname for address in addresses
            if not address.startswith(('data:', 'blob:', 'chrome:'))
            } == {'127.0.0.1'}


def test_nothing_but_uploads_and_named_checkpoints_is_opened(
        server: Server, checkpoints: Dict[str, Path],
        pictures: Dict[str, Path]) -> None:
    """Whatever is sent that is not the page's."""
    path = str(pictures['first'])
    assert '"success":false' in server.call('lmim.pth', dict(
        path=path, meta={'_type': 'gradio.FileData'}))
    link = 'http://example.invalid/word.png'  # the notes say who was called
    assert '"success":false' in server.call('lmim.pth', dict(
        path=link, url=link, meta={'_type': 'gradio.FileData'}))
    assert f'{link} is not fetched' in server.errors
    other = server.call(str(checkpoints['lmim.pth']), None)
    assert 'is not in the list of choices' in other
    assert server.ask(f'gradio_api/file={path}')[0] == 403
    assert server.upload(pictures['large'].read_bytes()) == 413
    assert server.upload(bytes(100)) == 200
    assert max(map(len, server.uploads())) < MB


@pytest.mark.parametrize('headers, status', [
    ({}, 200), ({'Host': 'localhost:{port}'}, 200),
    ({'Origin': 'http://127.0.0.1:{port}'}, 200),
    ({'Host': 'evil.example'}, 403), ({'Host': '127.0.0.1.evil.example'}, 403),
    ({'Host': ''}, 403), ({'Origin': 'http://evil.example'}, 403),
    ({'Origin': 'null'}, 403), ({'Origin': 'http://127.0.0.1'}, 403),
    ({'Host': '[', 'Origin': 'x'}, 403)])
def test_other_sites_are_not_answered(server: Server, headers: Dict[str, str],
                                      status: int) -> None:
    """Neither one that the user visits, nor one that takes this address."""
    port = urlsplit(server.address).port
    assert port is not None
    connection = http.client.HTTPConnection('127.0.0.1', port, SECONDS)
    connection.request('GET', '/config', headers={
        name: value.format(port=port) for name, value in headers.items()})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status == status
    assert ('this machine alone' in text) == (status == 403)
    assert ('dependencies' in text) == (status == 200)


def test_nothing_is_left_and_nobody_was_called(server: Server) -> None:
    """Comes last: the server ends."""
    assert server.uploads()
    before = server.errors
    assert server.end() == 0, server.errors
    assert server.errors == before
    assert list(server.temporary.iterdir()) == []
    called = set((server.folder / 'notes').read_text().split())
    assert called and called <= {'127.0.0.1', 'localhost', 'None'}
