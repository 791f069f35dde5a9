"""A picture of reconstructions that explains itself."""
from typing import Any, List, Optional, Sequence, Tuple

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import nn

from lmim.models.targets import PixelTarget
from .feature_colors import FeatureColors, nearest
from .patches import grey_out, join_patches, merge, to_pixels
from .reconstruction import Reconstruction
from .sheet import Row, draw_sheet, enlarge, frame_cells

ZOOM = 3


def draw_reconstruction(model: nn.Module,
                        found: Reconstruction,
                        names: Optional[Sequence[str]] = None,
                        shown: Optional[Sequence[int]] = None) -> Figure:
    """Draw pictures, what is hidden of them, targets and predictions.

    Args:
        model (nn.Module): The :class:`~lmim.models.selfsup.MIM`.
        found (Reconstruction): What :func:`reconstruct` gave. Colours and
            nearest patches of features are of all its pictures.
        names (Sequence[str], optional): Of the pictures.
        shown (Sequence[int], optional): Numbers of the pictures to draw.
            Defaults to all.

    Returns:
        Figure: A row for each picture; the explanation is below.
    """
    mim: Any = model
    grid = mim.backbone.grid
    pixels = isinstance(mim.target_generator, PixelTarget)
    hidden = found.hidden(grid)
    share = f'{hidden.mean():.0%}'
    columns = [('original', list(found.images)),
               (f'masked: {share} hidden',
                [grey_out(*pair) for pair in zip(found.images, hidden)])]
    if found.guidance is not None:
        columns.append(('guidance view (seen whole)', list(found.guidance)))
    if pixels:
        columns.append(_pixel_column(mim, found, hidden))
    else:
        columns += _feature_columns(mim, found, hidden)
    errors = zip(found.errors(), found.mean_errors(),
                 found.mean_errors(own=True))
    told = ['error {:.3f}   mean of all {:.3f}   own mean {:.3f}'.format(*each)
            for each in errors]
    rows = []
    for number in range(len(hidden)) if shown is None else shown:
        name = '' if names is None else f'{names[number]}   '
        rows.append(Row([column[number] for _, column in columns],
                        name + told[number]))
    note = (_pixel_note if pixels else _feature_note)(mim, found)
    titles = [title for title, _ in columns]
    return draw_sheet(rows, titles, note, width=ZOOM * found.images.shape[2])


def _pixel_column(mim: Any, found: Reconstruction,
                  hidden: np.ndarray) -> Tuple[str, List[np.ndarray]]:
    """Predicted pixels, un-normalised."""
    target = mim.target_generator
    size = target.patch_size
    pred = found.pred
    if target.norm_pix:
        raw = PixelTarget(size, norm_pix=False)(found.inputs)
        spread = (raw.var(dim=-1, keepdim=True) + 1e-6)**0.5
        pred = pred * spread + raw.mean(dim=-1, keepdim=True)
    joined = join_patches(pred, mim.backbone.grid, size)
    preprocessor = mim.data_preprocessor
    pixels = to_pixels(joined, preprocessor.mean.flatten().tolist(),
                       preprocessor.std.flatten().tolist())
    return ('predicted; framed patches are the original', [
        _framed(merge(*triple), triple[2])
        for triple in zip(pixels, found.images, hidden)])


def _feature_columns(
        mim: Any, found: Reconstruction,
        hidden: np.ndarray) -> List[Tuple[str, List[np.ndarray]]]:
    """Colours of features, and patches that are like the prediction."""
    size = (found.images.shape[1] // hidden.shape[1],
            found.images.shape[2] // hidden.shape[2])
    colors = FeatureColors(found.target.flatten(0, 1))
    wanted, guessed = [
        _blocks(colors(features).reshape(*hidden.shape, 3), size)
        for features in (found.target, found.pred)
    ]
    patches = PixelTarget(size, norm_pix=False)(
        torch.from_numpy(found.images.copy()).permute(0, 3, 1, 2))
    chosen = nearest(found.pred.flatten(0, 1), found.target.flatten(0, 1))
    # On the CPU, as the pictures are.
    like = patches.flatten(0, 1)[chosen.cpu()].reshape(patches.shape)
    found_like = join_patches(like, mim.backbone.grid, size)
    return [
        ('target features', list(wanted)),
        ('predicted features; framed: target', [
            _framed(merge(*triple), triple[2])
            for triple in zip(guessed, wanted, hidden)]),
        ('patches like it; framed: the original', [
            _framed(merge(*triple), triple[2]) for triple in zip(
                found_like.byte().numpy(), found.images, hidden)]),
    ]


def _blocks(colors: np.ndarray, size: Tuple[int, int]) -> np.ndarray:
    """A block of pixels for each patch (N, rows, columns, 3)."""
    return colors.repeat(size[0], axis=1).repeat(size[1], axis=2)


def _framed(picture: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    return frame_cells(enlarge(picture, ZOOM), ~hidden)


def _mask_words(mim: Any) -> str:
    mask = mim.backbone.mask
    return (f'masked: the encoder sees the patches that are not grey '
            f'({type(mask).__name__}, {mask.ratio:.0%} hidden).')


def _pixel_note(mim: Any, found: Reconstruction) -> str:
    """What a sheet of pixels shows."""
    words = [
        _mask_words(mim),
        'predicted: what the model makes of the hidden patches; patches '
        'in green frames were visible and are copied from the original.'
    ]
    if mim.target_generator.norm_pix:
        words.append(
            'Pixels are normalised per patch (norm_pix): the model predicts '
            'them relative to mean and spread of their patch. To show them '
            'both are taken from the original, so brightness and contrast '
            "of a patch are not the model's work; the strokes are.")
    words.append(_error_words('pixels, as the loss sees them', found))
    return '\n'.join(words)


def _feature_note(mim: Any, found: Reconstruction) -> str:
    """What a sheet of features shows."""
    return '\n'.join([
        _mask_words(mim),
        'target features: what a frozen encoder '
        f'({type(mim.target_generator).__name__}) makes of the whole '
        'picture, a colour for each patch. Colours are the three main '
        f'components (PCA) of the targets of {len(found.images)} pictures: '
        'like colours, like features. predicted features: the same colours '
        'for what the model predicts of hidden patches; framed ones were '
        'visible.',
        'patches like it: no pixels are predicted. In the place '
        'of a hidden patch stands the one, of all patches of these '
        f'{len(found.images)} pictures, whose target is nearest to the '
        'prediction.',
        _error_words('features', found)])


def _error_words(what: str, found: Reconstruction) -> str:
    numbers = [values.mean() for values in (
        found.errors(), found.mean_errors(), found.mean_errors(own=True))]
    return (f'error: mean square over hidden patches, of {what}. For '
            'comparison, of predicting the mean of all targets, and the mean '
            "of the picture's own. Over all {} pictures: {:.3f}, {:.3f} and "
            '{:.3f}.'.format(len(found.images), *numbers))
