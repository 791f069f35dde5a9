"""`tools/demo.py` in a process of its own, watched."""
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

from tests.tool_runs import TOOLS

#: Notes whom the process calls and what it writes, then runs the tool.
WATCHED = """
import os, runpy, sys
notes = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT
def note(event, args):
    told = None
    if event == 'open':
        path, mode, flags = args
        if flags & writing or set(str(mode or '')) & set('wax+'):
            told = path
    elif event in ('os.mkdir', 'os.rename', 'socket.getaddrinfo'):
        told = args[0]
    elif event == 'socket.connect':
        told = args[1][0] if isinstance(args[1], tuple) else args[1]
    if told is not None and not isinstance(told, int):
        told = os.fsdecode(told) if isinstance(told, bytes) else str(told)
        os.write(notes, f'{event} {told}\\n'.encode())
sys.addaudithook(note)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
"""


class Server:
    """A page that is served.

    Args:
        folder (Path): For its temporary folder and its notes.
        *args (Any): Of the tool, but for address and port.
    """

    def __init__(self, folder: Path, *args: Any) -> None:
        self.temporary = folder / 'tmp'
        self.temporary.mkdir(parents=True)
        self.folder = folder
        self._notes, self._errors = folder / 'notes', folder / 'errors'
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            port = free.getsockname()[1]
        with open(self._errors, 'w') as errors:
            self.process = subprocess.Popen(
                [sys.executable, '-c', WATCHED, str(self._notes),
                 str(TOOLS / 'demo.py'), *map(str, args), '--port', str(port),
                 '--device', 'cpu', '--json'], cwd=folder,
                env=dict(os.environ, TMPDIR=str(self.temporary),
                         # What torch and Python make when imported.
                         TORCHINDUCTOR_CACHE_DIR=str(folder / 'torch'),
                         PYTHONDONTWRITEBYTECODE='1', OMP_NUM_THREADS='1'),
                stdout=subprocess.PIPE, stderr=errors, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.errors
        self.told: Dict[str, Any] = json.loads(line)
        self.address: str = self.told['address']

    @property
    def errors(self) -> str:
        """What it has said on standard error."""
        return self._errors.read_text()

    @property
    def notes(self) -> List[Tuple[str, str]]:
        """What it has opened to write, and whom it has called."""
        return [tuple(line.split(' ', 1))
                for line in self._notes.read_text().splitlines()]

    def uploads(self) -> List[bytes]:
        """The files that are in its temporary folder."""
        return [path.read_bytes() for path in self.temporary.rglob('*')
                if path.is_file()]

    def upload(self, value: bytes) -> int:
        """Send a file without a page; the status of the answer."""
        body = (b'--limit\r\nContent-Disposition: form-data; name="files"; '
                b'filename="word.png"\r\nContent-Type: image/png\r\n\r\n' +
                value + b'\r\n--limit--\r\n')
        return self._post('gradio_api/upload', body,
                          'multipart/form-data; boundary=limit')[0]

    def call(self, *data: Any) -> str:
        """Ask as the page does, with any data; what the server answers."""
        name = 'session'
        self._post('gradio_api/queue/join', json.dumps(dict(
            data=data, fn_index=self._reading(), session_hash=name)).encode(),
            'application/json')
        with self._open(f'gradio_api/queue/data?session_hash={name}') as page:
            return page.read().decode()

    def fetch(self, place: str) -> int:
        """Ask for a file; the status of the answer."""
        try:
            with self._open(place) as page:
                return page.status
        except urllib.error.HTTPError as error:
            return error.code

    def end(self) -> int:
        """Tell it to end; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status

    def _reading(self) -> int:
        """The number of the event that reads a picture."""
        with self._open('config') as page:
            events = json.load(page)['dependencies']
        return next(event['id'] for event in events
                    if len(event['inputs']) == 2)

    def _post(self, place: str, body: bytes, kind: str) -> Tuple[int, str]:
        request = urllib.request.Request(
            self.address + place, body, {'Content-Type': kind})
        try:
            with self._open(request) as page:
                return page.status, page.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def _open(self, request: Any) -> Any:
        if isinstance(request, str):
            request = self.address + request
        return urllib.request.build_opener(
            urllib.request.ProxyHandler({})).open(request, timeout=60)


@contextmanager
def serving(folder: Path, *args: Any) -> Iterator[Server]:
    """A page, and its end."""
    server = Server(folder, *args)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.end()
