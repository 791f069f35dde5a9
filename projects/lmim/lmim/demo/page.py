"""The page itself."""
import logging
from pathlib import Path
from typing import Any, Callable, Optional, Sequence

from lmim.datasets.records import UnreadableRecordError

from .answer import EMPTY, answer, problem
from .choices import Checkpoints
from .reading import read_word

TITLE = 'LMIM: read a word'
ABOUT = """# Read a word
Drop or paste a picture of one word, not of a page. It goes to the machine
that serves this page and to no other, and is deleted there afterwards."""
#: Seconds after which uploads are deleted, and between looking for them.
UPLOADS_KEPT = 900


def make_page(checkpoints: Checkpoints, examples: Sequence[Path]) -> Any:
    """Lay out the page.

    Args:
        checkpoints (Checkpoints): What can be picked; the first one is.
        examples (Sequence[Path]): Pictures to try.

    Returns:
        gradio.Blocks: It, for :func:`.serving.served`.

    Raises:
        ModuleNotFoundError: If Gradio is not installed.
    """
    import gradio as gr
    with gr.Blocks(title=TITLE, analytics_enabled=False,
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
                picture.preprocess = _path_of
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
                result = gr.HTML(EMPTY, elem_id='answer')
        gr.on([picture.change, name.change], reader(checkpoints),
              [name, picture], result, show_progress='minimal',
              trigger_mode='always_last', concurrency_limit=1,
              api_visibility='private')
    return page


def reader(checkpoints: Checkpoints) -> Callable[[str, Optional[str]], str]:
    """What the page calls with the name of a checkpoint and an upload.

    Args:
        checkpoints (Checkpoints): Those that it may name.

    Returns:
        Callable: It gives HTML. What goes wrong is a sentence in it; what is
        not the picture's fault is told in the terminal too.
    """

    def read(name: str, path: Optional[str]) -> str:
        if path is None:
            return EMPTY
        try:
            recognizer = checkpoints.recognizer(name)
        except (OSError, ValueError) as error:
            logging.error('%s', error)
            return problem(f'Checkpoint {name} cannot be loaded; the terminal '
                           'in which this page was started says why.')
        try:
            return answer(read_word(recognizer, Path(path).read_bytes()))
        except UnreadableRecordError as error:
            return problem(f'This file cannot be read as a picture: {error}. '
                           'Take one of PNG, JPEG, WebP, BMP or TIFF.')
        # Of a server nothing may end, and nobody sees its terminal.
        except Exception:
            logging.exception('a picture could not be read')
            return problem('The recognizer failed on this picture; the '
                           'terminal in which this page was started says why.')

    return read


def _path_of(payload: Any) -> Optional[str]:
    """The uploaded file, which Gradio has seen to be one."""
    return None if payload is None else payload.path
