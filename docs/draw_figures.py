"""Draw the figures of the pages: `python docs/draw_figures.py [FOLDER]`.

Words come from lmim's own renderer, views and masks from the transforms that
training uses, so that the figures show what the code does.
"""
import sys
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import cv2
import lmim  # noqa: F401  (before anything of MMOCR)
import numpy as np
import torch
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from mmocr.registry import MODELS, TRANSFORMS

from lmim.rendering import Font, WordRenderer
from lmim.rendering.style import Bend, Pattern, Style
from lmim.visualization import draw_view_sheet, save_picture

IMAGES = Path(__file__).resolve().parent / 'images'
Point = Tuple[float, float]

#: Of boxes: what is trained, what is frozen, what is measured.
TRAINED, FROZEN, MEASURED = '#cfe3f7', '#e4e4e4', '#fbe0c4'
EDGE = '#33414f'


def render(text: str, face: str = 'DejaVu Sans', seed: int = 0,
           style: str = 'varied') -> np.ndarray:
    """Draw a word: (H, W, 3), uint8, BGR."""
    path = font_manager.findfont(font_manager.FontProperties(family=face))
    settings = dict(difficulty=0.35, tilted=0., bent=0., patterned=0.,
                    dark_text=True) if style == 'varied' else {}
    return WordRenderer(**settings).render(
        text, Font(path, face), np.random.default_rng(seed)).image


def draw_sign() -> np.ndarray:
    """A word as a sign may have it, which the first example reads."""
    path = font_manager.findfont(font_manager.FontProperties(
        family='DejaVu Serif', weight='bold'))
    style = Style(
        height=96, margins=(.18, .08, .18, .08), slack=.09, rotation=.4,
        shear=-1.4, perspective=(0., .06, -.04, -.07, 0., .03, .07, .02),
        foreground=(173., 177., 201.), background=(66., 86., 78.),
        gradient=(-15., 15.), texture=3.4, blur=1.6, noise=3.3,
        jpeg_quality=80, seed=8, bend=Bend('arc', 32.), max_growth=2.,
        pattern=Pattern('streaks', (8., 9., 12.)))
    return WordRenderer().compose('Harbour', Font(path, 'sign'), style).image


def guidance(image: np.ndarray, seed: int = 1) -> np.ndarray:
    """A guidance view of a picture: (32, 128, 3), uint8, BGR."""
    transform = TRANSFORMS.build(dict(
        type='GuidanceView', level='medium', img_size=(32, 128),
        _scope_='mmocr'))
    np.random.seed(seed)
    return transform(dict(img=image.copy()))['guidance_img']


def masked(image: np.ndarray, seed: int = 0) -> np.ndarray:
    """What 80 % of random masking leave of a 32x128 picture."""
    generator = MODELS.build(dict(
        type='RandomMasking', ratio=0.8, _scope_='mmocr'))
    generator.seed_masks(seed)
    mask = generator(1, (8, 32), torch.device('cpu')).mask.numpy()
    hidden = np.kron(mask.reshape(8, 32), np.ones((4, 4))).astype(bool)
    return np.where(hidden[..., None], np.uint8(225), image)


def canvas(width: float, height: float) -> Tuple[Figure, Axes]:
    """A white figure whose axes count in inches, without a frame."""
    figure = Figure(figsize=(width, height), facecolor='white')
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    axes.axis('off')
    return figure, axes


def box(axes: Axes, at: Point, size: Point, text: str, color: str) -> None:
    """A box around its middle, with words in it."""
    axes.add_patch(FancyBboxPatch(
        (at[0] - size[0] / 2, at[1] - size[1] / 2), *size,
        boxstyle='round,pad=0,rounding_size=0.08', facecolor=color,
        edgecolor=EDGE, linewidth=1))
    axes.text(*at, text, ha='center', va='center', fontsize=9, color=EDGE)


def picture(axes: Axes, at: Point, image: np.ndarray, title: str) -> None:
    """A picture around its middle, 1.6 inches wide, its title above."""
    axes.imshow(image[..., ::-1], aspect='auto', interpolation='nearest',
                extent=(at[0] - .8, at[0] + .8, at[1] - .2, at[1] + .2))
    axes.text(at[0], at[1] + .27, title, ha='center', fontsize=8, color=EDGE)


def arrow(axes: Axes, points: Sequence[Point], text: str = '') -> None:
    """A line through points, with a head at its end, words at its middle."""
    style: Dict[str, Any] = dict(color=EDGE, linewidth=1.1)
    if len(points) > 2:
        axes.plot(*zip(*points[:-1]), solid_joinstyle='round', **style)
    axes.annotate('', points[-1], points[-2], arrowprops=dict(
        arrowstyle='-|>', shrinkA=0, shrinkB=0, mutation_scale=11, **style))
    if text:
        x, y = np.mean([points[0], points[-1]], axis=0)
        axes.text(x, y + .07, text, ha='center', fontsize=7.5, color=EDGE)


def draw_method() -> Figure:
    """Two passes of one encoder, the teacher, and the two losses."""
    figure, axes = canvas(10.2, 3.9)
    word = render('Linguistics')
    image = cv2.resize(word, (128, 32), interpolation=cv2.INTER_AREA)
    top, middle, bottom = 3.3, 2.1, 0.8
    picture(axes, (1.0, top), image, 'image, whole')
    picture(axes, (1.0, middle), masked(image), 'image, 80 % hidden')
    picture(axes, (1.0, bottom), guidance(word), 'guidance view, whole')
    box(axes, (3.6, top), (1.9, .55), 'teacher: MAE encoder\n(frozen)',
        FROZEN)
    box(axes, (3.6, middle), (1.9, .55), 'encoder: ViT', TRAINED)
    box(axes, (3.6, bottom), (1.9, .55), 'encoder: the same ViT', TRAINED)
    box(axes, (6.5, middle - .35), (1.75, 1.35),
        'decoder, 2 blocks\n\nself-attention\ncross-attention\nFFN', TRAINED)
    box(axes, (9.1, top), (1.75, .62),
        '$L_{recon}$: squared error\nof hidden patches', MEASURED)
    box(axes, (9.1, bottom - .22), (1.75, .62),
        '$L_{align}$: squared error\nof the [CLS] tokens', MEASURED)
    for y in (top, middle, bottom):
        arrow(axes, [(1.85, y), (2.65, y)])
    arrow(axes, [(4.55, top), (8.22, top)], 'features of all patches: target')
    arrow(axes, [(4.55, middle), (5.62, middle)], 'visible')
    arrow(axes, [(4.55, bottom + .17), (5.15, bottom + .17),
                 (5.15, middle - .75), (5.62, middle - .75)])
    axes.text(5.2, bottom + .08, 'keys, values', fontsize=7.5, color=EDGE)
    arrow(axes, [(7.38, middle - .1), (9.1, middle - .1),
                 (9.1, top - .31)])
    axes.text(8.2, middle - .03, 'rebuilt features', ha='center',
              fontsize=7.5, color=EDGE)
    arrow(axes, [(4.55, middle - .15), (4.85, middle - .15),
                 (4.85, bottom - .05), (8.22, bottom - .05)])
    axes.text(6.7, bottom - .02, '[CLS] of the hidden image', ha='center',
              va='bottom', fontsize=7.5, color=EDGE)
    arrow(axes, [(4.55, bottom - .21), (4.7, bottom - .21),
                 (4.7, bottom - .4), (8.22, bottom - .4)])
    axes.text(6.7, bottom - .37, '[CLS] of the guidance view', ha='center',
              va='bottom', fontsize=7.5, color=EDGE)
    axes.annotate('', (3.0, middle - .28), (3.0, bottom + .28),
                  arrowprops=dict(arrowstyle='<->', color=EDGE,
                                  linestyle='--'))
    axes.text(3.1, (middle + bottom) / 2, 'shared weights,\ngradients '
              'through both', fontsize=7.5, va='center', color=EDGE)
    return figure


def draw_recognizer() -> Figure:
    """The encoder goes on into a recognizer."""
    figure, axes = canvas(10.2, 1.9)
    image = cv2.resize(render('Street', seed=3), (128, 32),
                       interpolation=cv2.INTER_AREA)
    y = 1.05
    picture(axes, (1.0, y), image, 'a word, 32x128')
    box(axes, (3.2, y), (1.6, .62), 'encoder: ViT\nfrom LMIM', TRAINED)
    box(axes, (5.45, y), (1.35, .62), 'linear, layer norm\n384 to 512',
        TRAINED)
    box(axes, (7.75, y), (1.75, .62), 'transformer decoder\n6 layers',
        TRAINED)
    box(axes, (9.6, y), (.8, .62), 'Street', MEASURED)
    arrow(axes, [(1.85, y), (2.4, y)])
    arrow(axes, [(4.0, y), (4.77, y)], '257 tokens')
    arrow(axes, [(6.13, y), (6.87, y)], 'memory')
    arrow(axes, [(8.63, y), (9.2, y)])
    arrow(axes, [(9.6, y - .31), (9.6, y - .75), (7.75, y - .75),
                 (7.75, y - .31)])
    axes.text(8.67, y - .7, 'the characters so far', ha='center', fontsize=7.5,
              va='bottom', color=EDGE)
    return figure


def draw_views() -> np.ndarray:
    """What masking and the guidance view make of some words."""
    words: List[np.ndarray] = [
        render(text, face, seed) for seed, (text, face) in enumerate([
            ('Linguistics', 'DejaVu Sans'), ('aware', 'DejaVu Serif'),
            ('Masked', 'STIXGeneral'), ('Image', 'DejaVu Sans Mono'),
            ('Modeling', 'DejaVu Sans')])]
    return draw_view_sheet(words)


FIGURES = {'method': draw_method, 'recognizer': draw_recognizer,
           'sign': draw_sign, 'views': draw_views}


def main(folder: Path) -> None:
    """Draw all of them into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in FIGURES.items():
        save_picture(draw(), folder / f'{name}.png')
        print(folder / f'{name}.png')


if __name__ == '__main__':
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
