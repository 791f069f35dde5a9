"""What a page shows of a word, as HTML."""
import base64
from html import escape

import cv2
import numpy as np

from .reading import Reading

#: Characters of which the recognizer is less sure are marked.
SURE = 0.5
EMPTY = ('<p class="lmim-hint">Drop a picture of one word, paste it, or take '
         'an example: what is read appears here.</p>')


def answer(reading: Reading) -> str:
    """Tell of a word: text, probability, characters.

    Pictures are in the text itself, so that no file has to be written.

    Args:
        reading (Reading): What was read.

    Returns:
        str: HTML, in which nothing of the picture's text is markup.
    """
    word = reading.word
    head = (f'<div class="lmim-text">{escape(word.text)}</div>' if word.text
            else '<p class="lmim-hint">No character was read.</p>')
    head += ('<div class="lmim-score">probability of the word: '
             f'<b>{word.score:.3f}</b></div>')
    matching = len(word.text) == len(word.char_scores)
    cells = []
    for number, score in enumerate(word.char_scores):
        name = word.text[number] if matching else str(number + 1)
        look = (_picture(reading.looks[number], f'attention for {name}')
                if reading.looks else '')
        cells.append(_cell(name, score, look))
    note = reading.hidden or ''
    if reading.looks:
        note = ('For each character: where the decoder looked as it wrote '
                'it (orange), and its probability.')
    elif cells:
        note = f'For each character: its probability. {note}'
    return (f'{head}<div class="lmim-cells">{"".join(cells)}</div>'
            f'<p class="lmim-note">{escape(note)}</p>')


def problem(sentence: str) -> str:
    """Tell what is wrong.

    Args:
        sentence (str): It, as plain text.

    Returns:
        str: HTML.
    """
    return f'<p class="lmim-problem" role="alert">{escape(sentence)}</p>'


def _cell(name: str, score: float, look: str) -> str:
    """One character: picture, itself, a bar, the number."""
    name = '\u2423' if name == ' ' else name  # an open box
    kind = 'lmim-sure' if score >= SURE else 'lmim-unsure'
    return (f'<div class="lmim-cell">{look}'
            f'<span class="lmim-char">{escape(name)}</span>'
            f'<span class="lmim-bar"><span class="{kind}" '
            f'style="width:{100 * score:.1f}%"></span></span>'
            f'<span class="lmim-number">{score:.2f}</span></div>')


def _picture(image: np.ndarray, told: str) -> str:
    """A picture, (h, w, 3), uint8, BGR, in the text of a page."""
    data = base64.b64encode(cv2.imencode('.png', image)[1].tobytes())
    return (f'<img alt="{escape(told)}" '
            f'src="data:image/png;base64,{data.decode("ascii")}">')
