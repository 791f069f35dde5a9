"""The command line of `tools/demo.py`."""
import argparse
import json
import sys
from pathlib import Path
from typing import Any, List, Optional, TextIO, Tuple

from lmim.cli import guarded
from lmim.cli.main import EXIT_CODES

from .serving import (is_local, require_gradio, served, temporary_folder,
                      terminable, wait_for_end)

DESCRIPTION = """Try recognizers on a page in the browser.

  python tools/demo.py --checkpoint epoch_10.pth
  python tools/demo.py --checkpoint epoch_9.pth epoch_10.pth
  python tools/demo.py --checkpoints work_dirs

Drop or paste the picture of a word: the page shows the text, the probability
of each character, and where the decoder looked as it wrote it. Only the
checkpoints that are named here can be picked. The page is served until
Ctrl-C; what was uploaded lies in a temporary folder, which is removed then.
Nothing is fetched from, or sent to, any other machine."""


def main(argv: Optional[List[str]] = None) -> int:
    """Serve the page as the command line says.

    Args:
        argv (list[str], optional): Arguments. Defaults to the process's own.

    Returns:
        int: The exit status.
    """
    args = make_parser().parse_args(argv)
    out = sys.stdout

    def serve() -> None:
        with terminable():
            _run(args, out)

    return guarded('demo', args, serve)[0]


def make_parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    parser = argparse.ArgumentParser(
        prog='demo.py', description=DESCRIPTION, epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument('--checkpoint', type=Path, nargs='+', metavar='FILE',
                      help='of recognizers; nothing in them is executed')
    what.add_argument('--checkpoints', type=Path, metavar='FOLDER',
                      help='all recognizers in a folder and in its folders')
    add('--host', default='127.0.0.1',
        help='the address to listen on; 0.0.0.0 lets other machines in '
        '(default: %(default)s, which does not)')
    add('--port', type=_port, default=7860, metavar='N',
        help='(default: %(default)s)')
    add('--max-mb', type=_size, default=5., metavar='MIB',
        help='the largest file that is taken, in MiB (default: %(default)s)')
    add('--device', help='cpu, cuda:0 ... (default: a GPU if there is one)')
    add('--json', action='store_true',
        help='tell the address and the checkpoints as one JSON object on '
        'standard output')
    add('--debug', action='store_true', help='show where an error was raised')
    return parser


def _run(args: argparse.Namespace, out: TextIO) -> None:
    """Serve the page until it is told to end."""
    with temporary_folder() as folder:
        page, names = _make_page(args, folder)
        if not is_local(args.host):
            print(f'warning: everybody who can reach {args.host} can use '
                  'this page; there is no password. Without --host only this '
                  'machine can.', file=sys.stderr)
        with served(page, args.host, args.port, args.max_mb) as address:
            print(json.dumps(dict(command='demo', address=address,
                                  checkpoints=names)) if args.json else
                  f'{address} (Ctrl-C ends it)', file=out, flush=True)
            wait_for_end()


def _make_page(args: argparse.Namespace,
               folder: Path) -> Tuple[Any, List[str]]:
    """The page, and the names of the checkpoints on it."""
    require_gradio()  # before the seconds that checkpoints take
    from .choices import Checkpoints
    from .examples import render_examples
    from .page import make_page
    checkpoints = Checkpoints(args.checkpoint or [], args.checkpoints,
                              args.device)
    first = checkpoints.recognizer(checkpoints.names[0])
    examples = render_examples(first.characters, folder / 'words')
    return make_page(checkpoints, examples), checkpoints.names


def _port(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 65535:
        raise argparse.ArgumentTypeError(f'{text} is not from 1 to 65535')
    return value


def _size(text: str) -> float:
    value = float(text)
    if not 0 < value < float('inf'):
        raise argparse.ArgumentTypeError(f'{text} is no size above 0')
    return value
