"""Words to try, drawn by our own renderer."""
import sys
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import cv2

from lmim.rendering import (LOWER_CASE, STYLES, RenderedWords,
                                     WordGenerator, WordRenderer)

#: How they look, easy ones first: as in print, as in photographs.
LOOKS: Tuple[Dict[str, Any], ...] = (STYLES['print'], dict(difficulty=0.5))
#: How many of each.
EACH = 4
#: Of the pictures, in pixels.
HEIGHT = (48, 64)


def alphabet_for(characters: Sequence[str]) -> str:
    """What examples are made of: what a recognizer can read.

    Args:
        characters (Sequence[str]): All that it can read.

    Returns:
        str: The lower-case letters if it knows them, or else all that can be
        seen.
    """
    if set(LOWER_CASE) <= set(characters):
        return LOWER_CASE
    return ''.join(char for char in characters
                   if len(char) == 1 and char.isprintable()
                   and not char.isspace())


def render_examples(characters: Sequence[str], folder: Path) -> List[Path]:
    """Draw words.

    Args:
        characters (Sequence[str]): What the recognizer can read.
        folder (Path): Where the pictures go; it is made.

    Returns:
        List[Path]: PNG files. None where no font at hand has the characters,
        which is told: pictures can still be dropped.
    """
    folder.mkdir(parents=True)
    try:
        words = WordGenerator('test', alphabet_for(characters), (3, 5))
        samples = [
            sample for seed, look in enumerate(LOOKS)
            for sample in RenderedWords(
                EACH, words, seed=seed,
                renderer=WordRenderer(**{**look, 'height': HEIGHT}))
        ]
    except ValueError as error:
        print(f'no examples: {error}', file=sys.stderr)
        return []
    paths = []
    for number, sample in enumerate(samples, 1):
        paths.append(folder / f'{number}.png')
        cv2.imwrite(str(paths[-1]), sample.image)
    return paths
