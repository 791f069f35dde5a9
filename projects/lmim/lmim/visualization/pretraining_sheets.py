"""What pre-training sees and what it learns, on sheets that explain it."""
from typing import Any, List, Optional, Sequence, Tuple

import cv2
import numpy as np
import torch
from mmocr.registry import MODELS

from lmim.models.layers import Context
from lmim.models.selfsup import SelfSup
from lmim.models.targets import PixelTarget
from .patches import FeatureColors, join_patches, merge, nearest
from .reconstruction import Reconstruction, view_batch
from .sheet import Column, draw_sheet, enlarge, frame_cells

ZOOM = 3
#: What hidden patches are shown as.
GREY = 128
LEVELS = ('weak', 'medium', 'strong')

#: Of regions by their numbers: black, turns of hue, and grey for none.
REGION_COLORS = np.zeros((256, 3), np.uint8)
REGION_COLORS[1:] = cv2.cvtColor(np.stack(
    [(np.arange(255) * 5 % 12 * 15).astype(np.uint8),
     *[np.full(255, value, np.uint8) for value in (200, 255)]],
    axis=1)[None], cv2.COLOR_HSV2BGR)[0]
REGION_COLORS[255] = 110

VIEWS = ('image: resized to {} x {}, as both branches take it. guidance view: '
         'the same text in another appearance, from the original picture, for '
         'the guidance branch; training draws anew each time. weak turns and '
         'crops; medium (the default) also changes colours, sharpness and '
         'perspective; strong does so by more.')
MASKS = ('Grey patches of {} x {} are hidden from the encoder, and are to be '
         'rebuilt. Each picture of a batch has as many; training draws anew '
         'for each.')
BATCH = ('What training sees, after all transforms of the pipeline, drawn '
         'anew each epoch: text must be whole and readable in all columns '
         'but the masked one, whose grey patches are hidden from the encoder.')
NORMALISED = ('Pixels are normalised per patch (norm_pix): the model predicts '
              'them relative to mean and spread of their patch. To show them '
              'both are taken from the original, so brightness and contrast '
              "of a patch are not the model's work; the strokes are.")
FEATURES = ('target features: what a frozen encoder ({0}) makes of the whole '
            'picture, a colour for each patch. Colours are the three main '
            'components (PCA) of the targets of {1} pictures: like colours, '
            'like features. predicted features: the same colours for what '
            'the model predicts of hidden patches; framed ones were visible.\n'
            'patches like it: no pixels are predicted. In the place of a '
            'hidden patch stands the one, of all patches of these {1} '
            'pictures, whose target is nearest to the prediction.')
INSTANCES = ('instances: what is contrasted of each view, from left to right, '
             'in colours: their three main components (PCA) over {0} '
             'pictures; like colours, like features. found: instances of the '
             'first view whose partner, the same place of the second, is '
             'nearest of all {1}. Over all pictures: {2:.0%}; by chance '
             '{3:.1%}.')


def draw_view_sheet(images: Sequence[np.ndarray],
                    img_size: Tuple[int, int] = (32, 128),
                    patch_size: Tuple[int, int] = (4, 4),
                    masks: Sequence[dict] = (dict(type='RandomMasking'), ),
                    levels: Sequence[str] = LEVELS,
                    seed: int = 0,
                    names: Optional[Sequence[str]] = None) -> np.ndarray:
    """Draw pictures, what masking leaves of them, and guidance views.

    Args:
        images (Sequence[np.ndarray]): Original pictures, each (H, W, 3),
            uint8, BGR.
        img_size (Tuple[int, int]): Height and width that the encoder sees.
        patch_size (Tuple[int, int]): Height and width of a patch.
        masks (Sequence[dict]): Mask generators, such as
            ``dict(type='BlockMasking', ratio=0.6)``.
        levels (Sequence[str]): Of the guidance views.
        seed (int): Of masks and views.
        names (Sequence[str], optional): Of the pictures.

    Returns:
        np.ndarray: The sheet, (H, W, 3) uint8, BGR. A row for each picture;
        columns are the picture, what each mask leaves of it, and a guidance
        view at each level.
    """
    batch = view_batch(images, img_size, (None, *levels), seed)
    pictures, *views = [view.permute(0, 2, 3, 1).numpy()
                        for view in batch['inputs']]
    context = dict(batch['data_samples'],
                   images=batch['inputs'][0].flip(1).float())  # RGB
    columns: List[Column] = [('image', pictures)]
    columns += [_masked(mask, pictures, patch_size, seed, context)
                for mask in masks]
    columns += [(f'guidance view, {level}', view)
                for level, view in zip(levels, views)]
    note = MASKS.format(*patch_size)
    if levels:
        note = f'{VIEWS.format(*img_size)} {note}'
    return draw_sheet(columns, names, note)


def _masked(mask: dict, images: np.ndarray, patch_size: Tuple[int, int],
            seed: int, context: Context) -> Column:
    """What a mask generator leaves of pictures (N, H, W, 3)."""
    grid = (images.shape[1] // patch_size[0], images.shape[2] // patch_size[1])
    generator = MODELS.build(dict(mask, _scope_='mmocr'))
    generator.seed_masks(seed)
    hidden = generator(len(images), grid, torch.device('cpu'),
                       context=context).mask
    total = hidden.shape[1]
    return (f'{type(generator).__name__}: {generator.num_keep(total)} of '
            f'{total} visible',
            _grey_out(images, hidden.bool().reshape(-1, *grid).numpy()))


def draw_batch_sheet(model: SelfSup, seen: Reconstruction,
                     count: int) -> np.ndarray:
    """Draw the first pictures of a batch as the model sees them, in rows."""
    return draw_sheet([(title, pictures[:count])
                       for title, pictures in _view_columns(model, seen)],
                      note=BATCH)


def draw_reconstruction(model: SelfSup,
                        seen: Reconstruction,
                        names: Optional[Sequence[str]] = None,
                        shown: Optional[Sequence[int]] = None) -> np.ndarray:
    """Draw pictures, what is hidden of them, and what the model makes of it.

    Args:
        model (SelfSup): The model. Of a method that rebuilds patches, targets
            and predictions are drawn; of one that contrasts, instances.
        seen (Reconstruction): What :func:`reconstruct` gave. Colours and
            nearest patches of features are of all its pictures.
        names (Sequence[str], optional): Of the pictures.
        shown (Sequence[int], optional): Numbers of the pictures to draw.
            Defaults to all.
    """
    columns, found = _view_columns(model, seen), seen.found
    titles = list(names or [''] * len(seen.inputs))
    notes: List[str] = []
    if found.pred is not None:
        titles = [
            '{}   error {:.3f}   mean of all {:.3f}   own mean {:.3f}'.format(
                title, *each)
            for title, *each in zip(titles, *seen.errors().values())]
    if found.pred is not None and found.mask is not None:
        pixels = isinstance(model.target_generator, PixelTarget)
        columns += (_pixel_columns if pixels else _feature_columns)(model,
                                                                   seen)
        notes = _reconstruction_notes(model, seen, pixels)
    if found.pictures:
        columns += [(title, _as_pixels(model, seen, value))
                    for title, value in found.pictures.items()]
        notes.append(model.picture_note)
    if seen.instances:
        columns += _instance_columns(seen)
        matches = seen.matches().float()
        titles = [f'{title}   found {share:.0%}' for title, share in
                  zip(titles, matches.mean(dim=1))]
        total = 2 * matches.numel() - 1
        notes.append(INSTANCES.format(
            len(seen.inputs), total, matches.mean(), 1 / total))
    order = range(len(titles)) if shown is None else shown
    return draw_sheet(
        [(title, [pictures[number] for number in order])
         for title, pictures in columns],
        [titles[number].strip() for number in order], '\n'.join(notes),
        ZOOM * seen.views[0].shape[2])


def _grey_out(images: np.ndarray, hidden: np.ndarray) -> List[np.ndarray]:
    """Grey out the hidden patches, (N, rows, columns), of pictures."""
    return [merge(np.full_like(image, GREY), image, cells)
            for image, cells in zip(images, hidden)]


def _hidden(model: Any, seen: Reconstruction) -> np.ndarray:
    """The patches that are hidden, bool (N, rows, columns)."""
    mask = seen.found.mask
    assert mask is not None
    return mask.bool().cpu().unflatten(1, model.backbone.grid).numpy()


def _view_columns(model: SelfSup, seen: Reconstruction) -> List[Column]:
    """The views, and what masking leaves of the first."""
    plain = [level is None for level in model.view_levels]
    columns: List[Column] = []
    for number, view in enumerate(seen.views):
        title = (model.view_names[number] if model.view_names else
                 'image' if plain[number] else 'guidance view (seen whole)'
                 if any(plain) else f'view {number + 1}')
        columns.append((title, view))
        if number == 0 and seen.found.mask is not None:
            hidden = _hidden(model, seen)
            columns.append((f'masked: {hidden.mean():.0%} hidden',
                            _grey_out(view, hidden)))
    return columns


def _pixel_columns(model: Any, seen: Reconstruction) -> List[Column]:
    """Predicted pixels, un-normalised."""
    assert seen.found.pred is not None
    return [('predicted; framed patches are the original',
             _merged(_as_pixels(model, seen, seen.found.pred), seen.views[0],
                     _hidden(model, seen)))]


def _as_pixels(model: Any, seen: Reconstruction,
               values: torch.Tensor) -> np.ndarray:
    """A value of ``Prediction.pictures`` as pictures (N, H, W, 3), BGR."""
    if values.dim() == 3 and values.shape[1:] == seen.inputs.shape[2:]:
        if values.dtype == torch.uint8:
            return REGION_COLORS[values.cpu().numpy()]
        grey = (255 * values.float()).round().byte().cpu().numpy()
        return np.repeat(grey[..., None], 3, axis=-1)
    if values.dim() == 4:
        joined = values.permute(0, 2, 3, 1)
    else:
        target = model.target_generator
        joined = join_patches(target.pixels_of(values.float(), seen.inputs),
                              model.backbone.grid, target.patch_size)
    mean, std = (getattr(model.data_preprocessor, name).flatten()
                 for name in ('mean', 'std'))
    pixels = (joined * std + mean).round().clamp(0, 255).byte().cpu()
    return pixels.numpy()[..., ::-1]


def _feature_columns(model: Any, seen: Reconstruction) -> List[Column]:
    """Colours of features, and patches that are like the prediction."""
    pred, target = seen.found.pred, seen.found.target
    assert pred is not None and target is not None
    images, hidden = seen.views[0], _hidden(model, seen)
    size = (images.shape[1] // hidden.shape[1],
            images.shape[2] // hidden.shape[2])
    colors = FeatureColors(target.flatten(0, 1))
    wanted, guessed = [
        colors(features).reshape(*hidden.shape, 3).repeat(
            size[0], axis=1).repeat(size[1], axis=2)
        for features in (target, pred)]
    patches = PixelTarget(size, norm_pix=False)(
        torch.from_numpy(images.copy()).permute(0, 3, 1, 2))
    chosen = nearest(pred.flatten(0, 1), target.flatten(0, 1))
    # On the CPU, as the pictures are.
    like = patches.flatten(0, 1)[chosen.cpu()].reshape(patches.shape)
    alike = join_patches(like, model.backbone.grid, size).byte().numpy()
    return [('target features', wanted),
            ('predicted features; framed: target',
             _merged(guessed, wanted, hidden)),
            ('patches like it; framed: the original',
             _merged(alike, images, hidden))]


def _merged(pictures: np.ndarray, originals: np.ndarray,
            hidden: np.ndarray) -> List[np.ndarray]:
    """Hidden patches of pictures between framed ones of the originals."""
    return [frame_cells(enlarge(merge(*each), ZOOM), ~each[2])
            for each in zip(pictures, originals, hidden)]


def _instance_columns(seen: Reconstruction) -> List[Column]:
    """Colours of the instances of each view, from left to right."""
    instances = seen.instances
    height, width = seen.views[0].shape[1:3]
    colors = FeatureColors(torch.cat(instances).flatten(0, 1).float())
    at = np.arange(width) * instances[0].shape[1] // width
    return [(f'instances, view {number}',
             colors(view)[:, None, at].repeat(height, axis=1))
            for number, view in enumerate(instances, 1)]


def _reconstruction_notes(model: Any, seen: Reconstruction,
                          pixels: bool) -> List[str]:
    """What a sheet of predictions shows."""
    mask = model.backbone.mask
    notes = ['masked: the encoder sees the patches that are not grey '
             f'({type(mask).__name__}, {mask.ratio:.0%} hidden).']
    if pixels:
        notes.append(
            'predicted: what the model makes of the hidden patches; patches '
            'in green frames were visible and are copied from the original.')
        notes += [NORMALISED] if model.target_generator.norm_pix else []
    else:
        notes.append(FEATURES.format(type(model.target_generator).__name__,
                                     len(seen.inputs)))
    what = 'pixels, as the loss sees them' if pixels else 'features'
    notes.append(
        f'error: mean square over hidden patches, of {what}. For comparison, '
        'of predicting the mean of all targets, and the mean of the '
        "picture's own. Over all {} pictures: {:.3f}, {:.3f} and {:.3f}."
        .format(len(seen.inputs),
                *(each.mean() for each in seen.errors().values())))
    return notes
