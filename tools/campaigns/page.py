"""Requests of somebody who means harm, at the page of `lmim demo`."""
import http.client
import importlib.util
import socket
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple

from lmim.cli.demo import main as demo_main

from .harness import Broken, Process, Room, Untried, call

#: The name of a file that nobody may make.
MARKER = 'executed'


class Page(NamedTuple):
    """A page that is served, and where."""
    port: int
    process: Process
    folder: Path

    def ask(self, method: str, place: str, body: Any = None,
            **headers: str) -> Any:
        """Status, headers and text of an answer; names have _ for -."""
        connection = http.client.HTTPConnection('127.0.0.1', self.port,
                                                timeout=60)
        try:
            connection.request(method, place, body, {
                name.replace('_', '-'): value
                for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def upload(self, size: int, **headers: str) -> int:
        """Send a file; the status."""
        body = (b'--x\r\nContent-Disposition: form-data; name="files"; '
                b'filename="../../' + MARKER.encode() + b'"\r\n\r\n'
                + b'x' * size + b'\r\n--x--\r\n')
        return int(self.ask(
            'POST', '/gradio_api/upload', body,
            Content_Type='multipart/form-data; boundary=x', **headers)[0])

    def alive(self) -> None:
        """Raises Broken if it does not answer."""
        if self.ask('GET', '/')[0] != 200 or self.process.has_ended():
            raise Broken('the page is gone')


def _rebound(page: Page) -> str:
    """A site of somebody else whose name now means this machine."""
    told = {}
    for place in ('/', '/config', '/gradio_api/info'):
        told[place] = page.ask('GET', place, Host='evil.example')[0]
    told['upload'] = page.upload(9, Host='evil.example')
    wrong = {place: status for place, status in told.items() if status < 400}
    if wrong:
        raise Broken(f'a page of evil.example reads it: {wrong}')
    return f'{told}'


def _cross_site(page: Page) -> str:
    """A page of somebody else asks it from the user's own browser."""
    status, headers, _ = page.ask('GET', '/config', Origin='http://evil.exam'
                                  'ple')
    allowed = {name.lower(): value for name, value in headers.items()}.get(
        'access-control-allow-origin')
    if allowed and status < 400:
        raise Broken(f'{allowed} may read the answer')
    sent = page.upload(9, Origin='http://evil.example')
    if sent < 400:
        raise Broken(f'an upload of another site was taken: {sent}')
    return f'read: {status} without leave, upload: {sent}'


def _oversize(page: Page) -> str:
    sent = page.upload(3 * 2**20)
    if sent != 413:
        raise Broken(f'3 MiB were answered with {sent}')
    held = [path for path in page.folder.rglob('*') if path.is_file()
            and path.stat().st_size > 2**20 and path.suffix != '.txt'
            and 'tmp' in path.parts]
    if held:
        raise Broken(f'{held} were kept')
    return '413'


def _named_outside(page: Page) -> str:
    sent = page.upload(9)
    made = [path for path in page.folder.rglob(MARKER)
            if 'tmp' not in path.parts]
    if made or (page.folder.parent / MARKER).exists():
        raise Broken(f'{made} was written')
    return f'{sent}, kept in the temporary folder alone'


def _files(page: Page) -> str:
    told: Dict[int, int] = {}
    for path in ('/etc/passwd', '/proc/self/environ', '../../etc/passwd'):
        for place in (f'/gradio_api/file={path}', f'/file={path}',
                      f'/static/{path}', f'/assets/..%2f..%2f{path}'):
            status, _, text = page.ask('GET', place)
            told[status] = told.get(status, 0) + 1
            if status < 400 or b'root:' in text:
                raise Broken(f'{place}: {status}')
    return f'{told}'


def _flood(page: Page) -> str:
    """Hundreds at once, and connections that never say anything."""
    idle = [socket.create_connection(('127.0.0.1', page.port))
            for _ in range(200)]
    statuses: List[int] = []

    def some() -> None:
        for _ in range(10):
            statuses.append(page.ask('GET', '/config')[0])

    threads = [threading.Thread(target=some) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in idle:
        one.close()
    if len(statuses) != 300:
        raise Broken(f'{len(statuses)} of 300 were answered')
    return f'{len(statuses)} of 300 were answered beside 200 silent ones'


def _nonsense(page: Page) -> str:
    told: List[int] = []
    for body in (b'', b'[' * 100000, b'{"data": [1, 2], "fn_index": 99}',
                 b'{"data": [{"path": "/etc/passwd", "meta": {"_type": '
                 b'"gradio.FileData"}}, "x"], "fn_index": 0}', b'\xff' * 999):
        for place in ('/gradio_api/queue/join', '/gradio_api/run/predict',
                      '/gradio_api/upload'):
            told.append(page.ask('POST', place, body,
                                 Content_Type='application/json')[0])
    return f'{sorted(set(told))}'


REQUESTS: Dict[str, Callable[[Page], str]] = {
    'DNS rebinding': _rebound, 'requests of another site': _cross_site,
    'an oversize upload': _oversize, 'an upload with a path as its name':
    _named_outside, 'files of the machine': _files, 'a flood': _flood,
    'nonsense': _nonsense,
}


def asked(room: Room, ask: Callable[[Page], str]) -> str:
    """Serve the page, ask it, and see that it still answers."""
    if importlib.util.find_spec('gradio') is None:
        raise Untried('gradio is not installed')
    temporary = room.folder / 'tmp'
    temporary.mkdir()
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    process = Process(call(demo_main, '--port', port, '--max-mb', 1,
                           '--device', 'cpu'), room.folder,
                      dict(TMPDIR=str(temporary)))
    page = Page(port, process, room.folder)
    try:
        end = time.monotonic() + 120
        while True:
            try:
                page.alive()
                break
            except OSError:
                if time.monotonic() > end or process.has_ended():
                    raise Broken('it does not begin') from None
                time.sleep(0.2)
        found = ask(page)
        page.alive()
    finally:
        if not process.has_ended():
            process.kill()
            process.wait()
    return found
