"""`lmim demo`: try recognizers on a page in the browser."""
import argparse
import contextlib
import json
import logging
import math
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import (Any, Callable, Dict, Iterator, List, Optional, Sequence,
                    Tuple)

import cv2
import numpy as np
import torch
from mmengine.structures import LabelData

from lmim.apis import Recognition, TextRecognizer
from lmim.apis.loading import reader_path
from lmim.apis.recognition import draw_boxes, tokens_of
from lmim.apis.recognizer import ORIENTATIONS
from lmim.datasets.decoding import decode_image
from lmim.datasets.records import UnreadableRecordError
from lmim.rendering import (LOWER_CASE, STYLES, RenderedWords, WordGenerator,
                            WordRenderer)
from lmim.utils.errors import UserError
from lmim.visualization.attention import (character_attention,
                                          overlay_attention)
from lmim.visualization.sheet import fit_within

from . import Command, at_least
from .own_requests import OwnRequests, is_local
from .page_checkpoints import Checkpoints

ABOUT = """# Read a word
Drop or paste a picture of one word, not of a page. It goes to the machine
that serves this page and to no other, and is deleted there afterwards."""
EMPTY = ('Drop a picture of one word, paste it, or take an example: what is '
         'read appears here.')
WHY = 'the terminal in which this page was started says why.'
#: Height and width within which pictures are shown, in pixels.
SHOWN = (96, 320)
#: How examples look, as in print and in photographs; how many of each, and
#: their heights in pixels.
LOOKS: Tuple[Dict[str, Any], ...] = (STYLES['print'], dict(difficulty=0.5))
EACH, HEIGHT = 4, (48, 64)
UPLOADS_KEPT = 900  # seconds, and between looking for those to delete
#: Before Gradio is imported: nothing is reported to anybody.
QUIET = dict(GRADIO_ANALYTICS_ENABLED='False', HF_HUB_DISABLE_TELEMETRY='1',
             HF_HUB_OFFLINE='1')
#: Of the server: what Gradio might do by itself, or by what its environment
#: variables say.
CLOSED: Dict[str, Any] = dict(
    share=False, ssr_mode=False, mcp_server=False, pwa=False,
    run_history=False, inbrowser=False, enable_monitoring=False)
#: Fonts that the machine has: nothing is fetched.
FONT = ('system-ui', 'Arial', 'DejaVu Sans', 'sans-serif')
FONT_MONO = ('ui-monospace', 'Consolas', 'DejaVu Sans Mono', 'monospace')
CSS = """
.gradio-container { max-width: 1040px !important; margin: auto !important; }
footer { display: none !important; }
#text textarea { font: 600 36px/1.2 ui-monospace, Consolas, monospace; }
"""
#: Gradio pastes by a button alone, and that only on https or this machine.
PASTE = """
() => document.addEventListener('paste', event => {
  const files = Array.from(event.clipboardData.files);
  const file = files.find(each => each.type.startsWith('image/'));
  const input = document.querySelector('#picture input[type=file]');
  if (!file || !input) return;
  const data = new DataTransfer();
  data.items.add(file);
  input.files = data.files;
  input.dispatchEvent(new Event('change', { bubbles: true }));
})
"""


def render_examples(characters: Sequence[str], folder: Path) -> List[Path]:
    """Draw words to try, of what a recognizer can read.

    They are of lower-case letters if it knows them, or else of all that can
    be seen. There are none where no font at hand has the characters, which is
    reported: pictures can still be dropped.
    """
    folder.mkdir(parents=True)
    alphabet = LOWER_CASE if set(LOWER_CASE) <= set(characters) else ''.join(
        char for char in characters
        if len(char) == 1 and char.isprintable() and not char.isspace())
    paths: List[Path] = []
    try:
        words = WordGenerator('test', alphabet, (3, 5))
        for seed, look in enumerate(LOOKS):
            renderer = WordRenderer(**{**look, 'height': HEIGHT})
            for sample in RenderedWords(EACH, words, seed=seed,
                                        renderer=renderer):
                paths.append(folder / f'{len(paths) + 1}.png')
                cv2.imwrite(str(paths[-1]), sample.image)
    except ValueError as error:
        print(f'no examples: {error}', file=sys.stderr)
    return paths


def read_word(recognizer: TextRecognizer, value: bytes
              ) -> Tuple[Recognition, List[np.ndarray], str]:
    """Read a word in an image file, of which nothing is trusted.

    Returns:
        tuple: The word; for each character the picture, as it was turned to
        be read, with what the decoder looked at in orange, (h, w, 3), uint8,
        BGR, or no pictures where that is not known; and a sentence on them.

    Raises:
        UnreadableRecordError: If it is no picture, or one of so many pixels
            that it may be a decompression bomb, or nothing can be made of it.
    """
    image = decode_image(value)
    recognizer.prepare([image])  # its error, if any, is one to show
    word = recognizer([image])[0]
    image = np.ascontiguousarray(np.rot90(image, (word.rotation or 0) // 90))
    data = recognizer.prepare([image])
    if len(word.text) != len(word.char_scores):
        # MMOCR writes what is not in the dictionary as a token: <UKN>.
        return word, [], ('It wrote a character that its dictionary lacks, so '
                          'that places and characters do not match.')
    if not word.text:
        return word, [], 'No character was read.'
    try:
        maps = _attention(recognizer.model, data, word.text)
    except ValueError:
        return word, [], 'Its decoder has no attention for each character.'
    shown = fit_within(image, SHOWN)
    return word, [overlay_attention(shown, one) for one in maps], (
        'For each character: where the decoder looked as it wrote it '
        '(orange), and its probability.')


@torch.inference_mode()
def _attention(model: Any, data: Dict[str, Any], text: str) -> np.ndarray:
    """A map over the picture for each character; ValueError if unknown."""
    data = model.data_preprocessor(data, False)
    sample = data['data_samples'][0]
    sample.pred_text = LabelData(item=text)  # known: it is not read again
    maps = character_attention(model, data['inputs'], [sample])[0]
    # The rest is padding, which the picture as it was given has not.
    width = math.ceil(maps.shape[2] * float(sample.get('valid_ratio') or 1))
    return maps[:, :, :width]


def make_reader(checkpoints: Checkpoints
                ) -> Callable[[str, Optional[str]], Tuple[Any, ...]]:
    """What the page calls with the name of a checkpoint and an upload.

    It gives the text; a note; pictures with captions, the first with the
    boxes of the characters; and rows of characters and probabilities, where
    there is no picture of each. What goes wrong is a sentence in the note;
    what is not the picture's fault is logged in the terminal too.
    """

    def read(name: str, path: Optional[str]) -> Tuple[Any, ...]:
        if path is None:
            return '', EMPTY, [], []
        try:
            recognizer = checkpoints.recognizer(name)
        except (OSError, ValueError) as error:
            logging.error('%s', error)
            return '', f'Checkpoint {name} cannot be loaded; {WHY}', [], []
        try:
            word, looks, note = read_word(recognizer, Path(path).read_bytes())
        except UnreadableRecordError as error:
            return '', (f'This file cannot be read as a picture: {error}. '
                        'Take one of PNG, JPEG, WebP, BMP or TIFF.'), [], []
        # Of a server nothing may end, and nobody sees its terminal.
        except Exception:
            logging.exception('a picture could not be read')
            return '', f'The recognizer failed on this picture; {WHY}', [], []
        rows = [[token, f'{score:.2f}']
                for token, score in zip(tokens_of(word), word.char_scores)]
        pictures = [(look[..., ::-1], ' '.join(row))
                    for look, row in zip(looks, rows)]
        told = pictures  # the probabilities stand below them
        if word.char_boxes:
            pictures = [(draw_boxes(word, SHOWN)[..., ::-1], word.text),
                        *pictures]
        turned = (f'Read turned by {word.rotation} degrees, '
                  'counter-clockwise. ' if word.rotation else '')
        note = f'Probability of the word: {word.score:.3f}. {turned}{note}'
        return word.text, note, pictures, [] if told else rows

    return read


def make_corrector(checkpoints: Checkpoints
                   ) -> Callable[[str, Optional[str], str], str]:
    """What the page calls to say what a picture reads; it gives a note."""

    def correct(name: str, path: Optional[str], text: str) -> str:
        if path is None:
            return EMPTY
        try:
            checkpoints.recognizer(name).correct(Path(path).read_bytes(),
                                                 text.strip())
        except (OSError, ValueError) as error:
            return f'Not corrected: {error}'
        return ('Corrected: this picture, and those like it, are read with '
                'this text in view from now on.')

    return correct


def make_page(checkpoints: Checkpoints, examples: Sequence[Path]) -> Any:
    """Lay out the page, a ``gradio.Blocks``, with pictures to try."""
    import gradio as gr  # not among the requirements
    read, correct = make_reader(checkpoints), make_corrector(checkpoints)

    def update(name: str, path: Optional[str]) -> Tuple[Any, ...]:
        text, note, pictures, rows = read(name, path)
        return (text, note, gr.update(value=pictures, visible=bool(pictures)),
                gr.update(value=rows, visible=bool(rows)))

    def say(name: str, path: Optional[str], said: str) -> Tuple[Any, ...]:
        told = correct(name, path, said)
        text, note, *others = update(name, path)
        return (text, f'{told}\n{note}', *others)

    with gr.Blocks(title='LMIM: read a word', analytics_enabled=False,
                   delete_cache=(UPLOADS_KEPT, UPLOADS_KEPT)) as page:
        gr.Markdown(ABOUT)
        with gr.Row(equal_height=False):
            with gr.Column(scale=2, min_width=300):
                picture: Any = gr.Image(
                    label='Picture', type='filepath', height=200,
                    sources=['upload'], buttons=[], elem_id='picture',
                    placeholder='Drop a picture here, paste it (Ctrl+V), '
                    'or click to choose a file')
                # Gradio would decode it, without our guard; and a sub-class
                # of its component writes a file beside its own source.
                picture.preprocess = lambda data: data and data.path
                name = gr.Dropdown(
                    checkpoints.names, value=checkpoints.names[0],
                    label='Checkpoint', elem_id='checkpoint')
                if examples:
                    gr.Examples([[str(path)] for path in examples], picture,
                                label='Examples, drawn by our renderer',
                                cache_examples=False,
                                examples_per_page=len(examples),
                                api_visibility='private')
            with gr.Column(scale=3, min_width=320):
                # Plain text: nothing of a picture becomes markup.
                text = gr.Textbox(label='Text', interactive=False, lines=1,
                                  elem_id='text')
                note = gr.Textbox(EMPTY, show_label=False, interactive=False,
                                  lines=2, elem_id='note')
                with gr.Row():
                    said = gr.Textbox(
                        label='That is wrong, it says ...', lines=1,
                        elem_id='said')
                    button = gr.Button('Correct', elem_id='correct')
                looks = gr.Gallery(
                    show_label=False, visible=False, columns=4, height='auto',
                    object_fit='contain', format='png', buttons=[],
                    interactive=False, elem_id='looks')
                table = gr.Dataframe(
                    headers=['character', 'probability'], visible=False,
                    interactive=False, elem_id='table')
        for events, call, inputs in (
                ([picture.change, name.change], update, [name, picture]),
                ([button.click, said.submit], say, [name, picture, said])):
            gr.on(events, call, inputs, [text, note, looks, table],
                  show_progress='minimal', trigger_mode='always_last',
                  # One after the other: they share the recognizer.
                  concurrency_limit=1, concurrency_id='recognizer',
                  api_visibility='private')
    return page


def require_gradio() -> None:
    """Import Gradio, set to be quiet, and to follow no links."""
    os.environ.update(QUIET)
    # Gradio asks its own server whether it is there: not through a proxy.
    for key in ('no_proxy', 'NO_PROXY'):
        os.environ[key] = ','.join(
            filter(None, (os.environ.get(key), 'localhost,127.0.0.1,::1')))
    try:
        import gradio
        from gradio import processing_utils
        if int(gradio.__version__.split('.')[0]) < 6:
            raise ImportError(f'{gradio.__version__} is installed')
    except ImportError as error:
        raise UserError('the page needs Gradio 6, which cannot be imported '
                        f'({error}): pip install "lmim[demo]"') from error
    # A request, though not the page's, may name a link in a file's place.
    processing_utils.async_ssrf_protected_download = _refuse_link


async def _refuse_link(url: str, cache_dir: str) -> str:
    """In the place of what fetches links, of any size."""
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


@contextlib.contextmanager
def served(page: Any, host: str, port: int, max_mb: int) -> Iterator[str]:
    """Serve a page: nothing goes out, nothing above max_mb MiB comes in."""
    import gradio as gr  # not among the requirements
    theme = gr.themes.Default(primary_hue='blue', neutral_hue='slate',
                              font=FONT, font_mono=FONT_MONO)
    layers: List[Any] = [(OwnRequests, (), {})] if is_local(host) else []
    try:
        _, address, _ = page.launch(
            # Starlette takes them as triples.
            app_kwargs=dict(middleware=layers),
            # Of IPv6 Gradio makes an address only with brackets.
            server_name=f'[{host}]' if host.count(':') > 1 else host,
            server_port=port, max_file_size=max_mb * 2**20,
            theme=theme, css=CSS, js=PASTE, footer_links=[],
            prevent_thread_lock=True, quiet=True, **CLOSED)
    except (OSError, OverflowError) as error:
        raise OSError(
            f'port {port} of {host} cannot be listened on: is it in use, or '
            'the address of another machine? Give another, --port N'
        ) from error
    try:
        yield address
    finally:
        # Open pages are not waited for, and uvicorn would print a trace
        # because of that.
        page.server.force_exit = True
        logging.getLogger('uvicorn.error').setLevel(logging.CRITICAL)
        page.close(verbose=False)


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Take SIGTERM as Ctrl-C: the folder is removed then too."""
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


class Demo(Command):
    """Try recognizers on a page in the browser.

      lmim demo
      lmim demo --checkpoint epoch_9.pth epoch_10.pth
      lmim demo --checkpoints work_dirs

    Drop or paste the picture of a word: the page shows the text, the
    probability of each character, and where the decoder looked as it wrote
    it. Only the checkpoints that are named here can be picked. The page is
    served until Ctrl-C; uploads are kept in a temporary folder, which is
    removed then. Nothing is fetched from, or sent to, any other machine.
    """

    name = 'demo'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        what = parser.add_mutually_exclusive_group()
        what.add_argument('--checkpoint', type=Path, nargs='+', metavar='FILE',
                          help='of recognizers; nothing in them is executed '
                          '(default: the reader that comes with lmim)')
        what.add_argument('--checkpoints', type=Path, metavar='FOLDER',
                          help='all recognizers in a folder and in its '
                          'folders')
        add('--host', default='127.0.0.1',
            help='the address to listen on; 0.0.0.0 lets other machines in '
            '(default: %(default)s, which does not)')
        add('--port', type=at_least(1), default=7860, metavar='N',
            help='(default: %(default)s)')
        add('--max-mb', type=at_least(1), default=5, metavar='MIB',
            help='the largest file that is taken, in MiB (default: '
            '%(default)s)')
        add('--device',
            help='cpu, cuda:0 ... (default: a GPU if there is one)')
        add('--orientation', choices=ORIENTATIONS, default='upright',
            help='auto reads turned pictures too (default: %(default)s)')
        add('--pool', type=Path, metavar='POOL',
            help='labelled pictures that the in-context recognizer of '
            '--checkpoint looks at; corrections on the page are written '
            'there (default: they are kept until the page ends)')

    def run(self, args: argparse.Namespace) -> None:
        """Serve the page until it is ended."""
        with terminable(), temporary_folder() as folder:
            require_gradio()  # before the seconds that checkpoints take
            if args.pool is not None and len(args.checkpoint or []) != 1:
                raise UserError('a pool is of one recognizer: name that alone '
                                'with --checkpoint')
            files = args.checkpoint or (
                [] if args.checkpoints else [reader_path()])
            checkpoints = Checkpoints(files, args.checkpoints, args.device,
                                      args.orientation, args.pool)
            first = checkpoints.recognizer(checkpoints.names[0])
            page = make_page(checkpoints, render_examples(first.characters,
                                                          folder / 'words'))
            if not is_local(args.host):
                print(f'warning: everybody who can reach {args.host} can use '
                      'this page; there is no password. Without --host only '
                      'this machine can.', file=sys.stderr)
            with served(page, args.host, args.port, args.max_mb) as address:
                result = dict(command=self.name, address=address,
                              checkpoints=checkpoints.names)
                print(json.dumps(result) if args.json else
                      self.report(result), file=self.out, flush=True)
                wait_for_end()

    def report(self, result: Dict[str, Any]) -> str:
        """Say where the page is."""
        return f'{result["address"]} (Ctrl-C ends it)'


main = Demo().main
