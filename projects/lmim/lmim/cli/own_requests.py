"""Whose requests a page for this machine answers."""
import contextlib
import ipaddress
from typing import Any
from urllib.parse import urlsplit


def is_local(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == 'localhost':
        return True
    try:
        return ipaddress.ip_address(host.strip('[]')).is_loopback
    except ValueError:  # another name
        return False


class OwnRequests:
    """Refuses requests of other sites to a page for this machine alone.

    A site that the user visits may send requests to 127.0.0.1, or let its own
    name stand for this address (DNS rebinding), and Gradio then lets it read
    the answers. It is a layer of ASGI.
    """

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, or answer it with 403."""
        headers = dict(scope.get('headers', ()))
        host = headers.get(b'host', b'').decode('latin-1')
        origin = headers.get(b'origin', b'').decode('latin-1')
        if scope['type'] not in ('http', 'websocket') or (
                is_local(_hostname(f'//{host}'))
                and origin in ('', f'http://{host}', f'https://{host}')):
            await self.app(scope, receive, send)
        elif scope['type'] == 'websocket':
            await send(dict(type='websocket.close', code=1008))
        else:
            await send(dict(type='http.response.start', status=403, headers=[
                (b'content-type', b'text/plain')]))
            await send(dict(
                type='http.response.body',
                body=b'This page answers this machine alone, by the address '
                b'that was printed: --host lets others in.'))


def _hostname(address: str) -> str:
    """The host of an address, '' where it has none or is malformed."""
    with contextlib.suppress(ValueError):
        return urlsplit(address).hostname or ''
    return ''
