"""A server that leaves nothing behind."""
import contextlib
import ipaddress
import logging
import os
import signal
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, Iterator

from .style import CSS, PASTE, make_theme

#: Before Gradio is imported: nothing is reported to anybody.
QUIET = {
    'GRADIO_ANALYTICS_ENABLED': 'False',
    'HF_HUB_DISABLE_TELEMETRY': '1',
    'HF_HUB_OFFLINE': '1',
}
#: Of the server: what Gradio might do by itself, or by what its environment
#: variables say.
CLOSED: Dict[str, Any] = dict(
    share=False, ssr_mode=False, mcp_server=False, pwa=False,
    run_history=False, inbrowser=False, enable_monitoring=False)


def require_gradio() -> None:
    """Import Gradio, told to be quiet, and to follow no links.

    Raises:
        ValueError: If it is not there, or cannot be imported.
    """
    os.environ.update(QUIET)
    # Gradio asks its own server whether it is there: not through a proxy.
    for key in ('no_proxy', 'NO_PROXY'):
        told = os.environ.get(key)
        os.environ[key] = ','.join(
            filter(None, (told, 'localhost,127.0.0.1,::1')))
    try:
        import gradio
    except ImportError as error:
        raise ValueError('the page needs Gradio 6, which cannot be imported '
                         f'({error}): pip install "lmim[demo]"') from error
    if int(gradio.__version__.split('.')[0]) < 6:
        raise ValueError(f'the page needs Gradio 6, and {gradio.__version__} '
                         'is installed: pip install "lmim[demo]"')
    from gradio import processing_utils
    # A request, though not the page's, may name a link in a file's place.
    processing_utils.async_ssrf_protected_download = _refuse_link


async def _refuse_link(url: str, cache_dir: str) -> str:
    """In the place of what fetches links, of any size.

    Raises:
        PermissionError: Always.
    """
    raise PermissionError(f'{url} is not fetched: upload the picture')


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder for all that is written, removed at the end.

    Gradio has to be imported in it: some of its modules make theirs then.
    """
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix='lmim-demo-') as name:
        folder = Path(name).resolve()
        os.environ['GRADIO_TEMP_DIR'] = str(folder / 'uploads')
        tempfile.tempdir = str(folder)
        try:
            yield folder
        finally:
            tempfile.tempdir = before


def is_local(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == 'localhost':
        return True
    try:
        return ipaddress.ip_address(host.strip('[]')).is_loopback
    except ValueError:  # another name
        return False


@contextlib.contextmanager
def served(page: Any, host: str, port: int, max_mb: float) -> Iterator[str]:
    """Serve a page: nothing goes out, nothing large comes in.

    Args:
        page (gradio.Blocks): It.
        host (str): The address to listen on.
        port (int): And the port.
        max_mb (float): The largest upload, in 2^20 bytes.

    Yields:
        str: Its address.

    Raises:
        OSError: If the port is in use.
    """
    try:
        _, address, _ = page.launch(
            # Of IPv6 Gradio makes an address only with brackets.
            server_name=f'[{host}]' if host.count(':') > 1 else host,
            server_port=port, max_file_size=round(max_mb * 2**20),
            theme=make_theme(), css=CSS, js=PASTE, footer_links=[],
            prevent_thread_lock=True, quiet=True, **CLOSED)
    except OSError as error:
        raise OSError(
            f'port {port} of {host} cannot be listened on: is it in use, or '
            'the address of another machine? Give another, --port N'
        ) from error
    try:
        yield address
    finally:
        # Open pages are not waited for, and uvicorn would tell of that with
        # a trace.
        page.server.force_exit = True
        logging.getLogger('uvicorn.error').setLevel(logging.CRITICAL)
        page.close(verbose=False)


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Take SIGTERM as Ctrl-C, so that the folder is removed then too."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def wait_for_end() -> None:
    """Wait until Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(0.5)  # not for ever, as Windows hears nothing then
