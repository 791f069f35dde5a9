"""Loading the weights of encoders, with a report and a refusal."""
import math
import re
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

import torch
from mmengine.logging import print_log
from mmocr.registry import MODELS
from mmpretrain.models.utils import resize_pos_embed
from torch import nn

from lmim.utils.errors import CheckpointError, some
from .averaging import not_finite
from .config_text import dicts_in
from .contents import Checkpoint, open_checkpoint
from .formats import ASIDE, ENCODER, SPLIT, detect_format

#: Grid of a 32x128 image in 4x4 patches, which the field's checkpoints are of.
USUAL_GRID = (8, 32)
_POSITIONS = 'pos_embed'
#: Of rotary positions that are learned.
_ROTARY = 'rotary.'
#: Of an encoder that parts style and content.
_SPLIT = f'{SPLIT}.'


class LoadReport(NamedTuple):
    """What a checkpoint gave to a module."""
    source: str  # file and format
    loaded: List[str]  # names that were loaded
    missing: List[str]  # names of the module that the file lacks
    mismatched: List[str]  # names with both shapes, file and module
    unexpected: List[str]  # weights that the module has no place for
    unused: int  # how many of the file are of other parts of its model

    @property
    def is_full(self) -> bool:
        """Whether every weight of the module was loaded and none left over."""
        return not (self.missing or self.mismatched or self.unexpected)

    def __str__(self) -> str:
        unused = (f', {self.unused} of other parts left aside'
                  if self.unused else '')
        return (f'{self.source}: {len(self.loaded)} tensors loaded, '
                f'{len(self.missing)} missing, {len(self.mismatched)} of '
                f'another shape, {len(self.unexpected)} unexpected{unused}')

    def details(self) -> str:
        """What does not fit, a line for each kind, '' where all does."""
        return ''.join(f'\n  {what}: {some(names, 8)}'
                       for what in ('missing', 'mismatched', 'unexpected')
                       for names in [getattr(self, what)] if names)


def compare(module: nn.Module, weights: Dict[str, torch.Tensor], source: str,
            part: str = '', unused: int = 0) -> LoadReport:
    """Compare weights with those of a module, and load nothing.

    Args:
        module (nn.Module): The module.
        weights (Dict[str, torch.Tensor]): Weights by our names.
        source (str): What they are, for the report.
        part (str): What names begin with that are compared. Defaults to all.
        unused (int): How many others the file has.
    """
    found = {k: v.shape for k, v in weights.items() if k.startswith(part)}
    wanted = {k: v.shape for k, v in module.state_dict().items()
              if k.startswith(part)}
    both = sorted(wanted.keys() & found.keys())
    return LoadReport(
        source=source,
        loaded=[name for name in both if wanted[name] == found[name]],
        missing=sorted(wanted.keys() - found.keys()),
        mismatched=[
            f'{name} ({tuple(found[name])} in the file, '
            f'{tuple(wanted[name])} in the model)'
            for name in both if wanted[name] != found[name]],
        unexpected=sorted(found.keys() - wanted.keys()),
        unused=unused + len(weights) - len(found))


def diverged(module: nn.Module) -> List[str]:
    """Names of parameters that are NaN or infinite, and of buffers with NaN.

    A buffer such as a causal mask may hold infinity.
    """
    return [*not_finite(dict(module.named_parameters())),
            *(name for name, buffer in module.named_buffers()
              if buffer.isnan().any())]


def refuse_diverged(module: nn.Module, source: str) -> None:
    """Refuse a module that was given weights which are not finite.

    Raises:
        CheckpointError: If there is one, naming the first.
    """
    _refuse(diverged(module), source)


def refuse_not_finite(module: nn.Module, weights: Dict[str, torch.Tensor],
                      source: str) -> None:
    """Refuse weights that are NaN or infinite, before they are loaded.

    A buffer that is infinite in the module itself, as a causal mask, may be.

    Raises:
        CheckpointError: If there is one, naming the first.
    """
    bad = []
    for name, own in module.state_dict().items():
        value = weights.get(name)
        if (value is not None and value.is_floating_point()
                and not value.isfinite().all()
                and (own.is_meta or bool(own.isfinite().all()))):
            bad.append(name)
    _refuse(bad, source)


def _refuse(bad: List[str], source: str) -> None:
    if bad:
        raise CheckpointError(
            f'checkpoint {source} is refused, as {len(bad)} of its weights '
            f'are not finite (NaN or infinite): {some(bad)}. Its training '
            'had diverged, or the file is damaged: take an earlier one')


def load_encoder_weights(encoder: Any,
                         checkpoint: Union[str, Checkpoint],
                         allow_partial: bool = False,
                         pos_grid: Optional[Tuple[int, int]] = None
                         ) -> LoadReport:
    """Load the encoder of any known checkpoint into a :class:`TextViT`.

    ``init_cfg`` and :func:`lmim.apis.load_encoder` load by this function.

    Args:
        encoder (nn.Module): Filled in place.
        checkpoint (str or Checkpoint): The file, or what was read of it.
        allow_partial (bool): Take what fits instead of refusing.
        pos_grid (Tuple[int, int], optional): Rows and columns of patches that
            the checkpoint's images had. Needed where the encoder has another
            number of patches, unless those were 8x32; see
            :func:`resize_positions`.

    Returns:
        LoadReport: What was loaded and what was not; also logged.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If the file cannot be read, is of an unknown format,
            or, without ``allow_partial``, does not match in every key.
    """
    checkpoint = open_checkpoint(checkpoint)
    path, weights = checkpoint.path, checkpoint.weights
    try:
        kind = checkpoint.kind or detect_format(weights)
    except CheckpointError as error:
        raise CheckpointError(
            f'checkpoint {path} holds no encoder for word images: '
            f'{error}') from error
    found = {}
    for name, value in weights.items():
        ours = kind.names.ours(name)
        if ours is not None and ours.startswith(kind.encoder):
            found[ours[len(kind.encoder):]] = value
        # What the format does not know of an encoder makes it another one.
        elif ours is None and name.startswith(kind.prefix) and not re.match(
                kind.aside, name):
            found[name] = value
    for part in ASIDE:
        if not hasattr(encoder, part):
            found = {name: value for name, value in found.items()
                     if name.split('.')[0] != part}
    _fit_positions(found, encoder, pos_grid)
    if not allow_partial:
        _check_rotary(checkpoint, encoder)
    if hasattr(encoder.patch_embed, 'take_linear'):
        encoder.patch_embed.take_linear(found, 'patch_embed.')
    report = compare(encoder, found, f'{path} ({kind.name})',
                     unused=len(weights) - len(found))
    if not any(name.startswith(_ROTARY) for name in found):
        report = _starting_rotary(report)
    print_log(f'Encoder from {report}', logger='current')
    if not report.is_full and not allow_partial:
        absolute = '' if _POSITIONS not in report.unexpected else (
            "Its patches know their places by pos_embed, and pos_embed='none' "
            'leaves that out: keep it beside rotary. ')
        parted = '' if not report.missing or not all(
            name.startswith(_SPLIT) for name in report.missing) else (
            'The checkpoint does not part style and content, as a ContentViT '
            "does: take type='TextViT', or a checkpoint of DARLING. ")
        raise CheckpointError(
            f'the encoder does not match {report}.{report.details()}\n'
            f'{absolute}{parted}'
            'Set arch, img_size and patch_size of the encoder to those of the '
            "checkpoint. Or add to init_cfg=dict(type='Pretrained', ...): "
            'allow_partial=True, to start the rest from scratch; where only '
            'the size of the images differs, pos_grid=(rows, columns), the '
            'patches that those of the checkpoint had. For one that lacks '
            'cls_token alone, give the encoder with_cls_token=False.')
    refuse_not_finite(encoder, found, path)
    encoder.load_state_dict({name: found[name] for name in report.loaded},
                            strict=False)
    return report


def encoder_sizes(weights: Dict[str, torch.Tensor]) -> Dict[str, Any]:
    """Read the sizes of a ViT off its weights, which go by our names.

    They are ``embed_dims``, ``num_layers``, ``feedforward_channels``,
    ``patch_size`` (height, width) and, where positions are not rotary alone,
    ``num_patches``; heads leave no trace. Empty where there is no ViT.
    """
    own = {name[len(ENCODER):]: value for name, value in weights.items()
           if name.startswith(ENCODER)}
    needed = ('patch_embed.projection.weight', 'layers.0.ffn.layers.0.0.bias')
    if not all(name in own for name in needed):
        return {}
    sizes = {
        'embed_dims': len(own['patch_embed.projection.weight']),
        'num_layers': len({name.split('.')[1] for name in own
                           if name.startswith('layers.')}),
        'feedforward_channels': len(own['layers.0.ffn.layers.0.0.bias']),
        'patch_size': list(own['patch_embed.projection.weight'].shape[-2:]),
    }
    if _POSITIONS in own:
        sizes['num_patches'] = own[_POSITIONS].shape[1] - ('cls_token' in own)
    return sizes


def resize_positions(positions: torch.Tensor,
                     grid: Tuple[int, int],
                     own_grid: Optional[Tuple[int, int]] = None,
                     num_extra: int = 1) -> torch.Tensor:
    """Interpolate position embeddings for another grid of patches.

    Checkpoints of MAE, MAERec and LMIM hold the sine-cosine table of a 16x16
    grid, laid out over the 8x32 patches of a word image row by row: a patch
    has learnt to live with the row of the table that it was given. So the
    table is interpolated on the grid that the patches really had, not on the
    square one that it was computed for.

    Args:
        positions (torch.Tensor): (1, 1 + L, C), [CLS] first.
        grid (Tuple[int, int]): Rows and columns wanted.
        own_grid (Tuple[int, int], optional): Rows and columns that the
            positions are of, L in all. Left out, 8x32 where L is 256.
        num_extra (int): 0 where there is no [CLS].

    Returns:
        torch.Tensor: (1, 1 + rows * columns, C), bicubically interpolated;
        [CLS] is kept.

    Raises:
        CheckpointError: If the grid is not given, or has another number of
            patches.
    """
    count = positions.shape[1] - num_extra
    if own_grid is None and count == math.prod(USUAL_GRID):
        own_grid = USUAL_GRID
    if own_grid is None or math.prod(own_grid) != count:
        given = ('the grid of these is not known' if own_grid is None else
                 f'pos_grid={tuple(own_grid)} has {math.prod(own_grid):,}')
        raise CheckpointError(
            f'the checkpoint has positions of {count:,} patches, the encoder '
            f'has {grid[0]}x{grid[1]}, and {given}. Say how many rows and '
            'columns of patches its images had: init_cfg=dict(type='
            "'Pretrained', checkpoint=..., pos_grid=(rows, columns))")
    return resize_pos_embed(
        positions.float(), tuple(own_grid), grid, mode='bicubic',
        num_extra_tokens=num_extra)


def _check_rotary(checkpoint: Checkpoint, encoder: Any) -> None:
    """Refuse an encoder that was trained with other rotary positions.

    Fixed ones leave no trace in weights: the config in the file tells them.
    """
    try:
        config = checkpoint.model_config() or {}
    except CheckpointError:
        return  # whose config cannot be read
    rotary = next((part['rotary'] for part in dicts_in(config.get('backbone'))
                   if part.get('rotary')), None)
    if rotary is None:
        return
    sizes = dict(head_dims=4, num_layers=1, num_heads=1)
    theirs = repr(MODELS.build(dict(rotary, **sizes)))
    if theirs != repr(encoder.rotary):
        raise CheckpointError(
            f'the encoder of {checkpoint.path} was trained with rotary '
            f'positions, {theirs}, and this one has '
            f'{encoder.rotary or "none"}: give it rotary={rotary}, or '
            "allow_partial=True in init_cfg=dict(type='Pretrained', ...)")


def _starting_rotary(report: LoadReport) -> LoadReport:
    """What is said of weights that know nothing of rotary positions.

    These may be added to absolute ones, and start from their own.
    """
    return report._replace(missing=[
        name for name in report.missing if not name.startswith(_ROTARY)])


def _fit_positions(found: Dict[str, torch.Tensor], encoder: Any,
                   pos_grid: Optional[Tuple[int, int]]) -> None:
    """Interpolate the positions found where the encoder has more or fewer."""
    own, table = found.get(_POSITIONS), encoder.pos_embed
    if own is None or table is None:
        return
    wanted, extra = table.shape, int('cls_token' in found)
    if (own.dim() != 3 or own.shape == wanted
            or own.shape[2] != wanted[2]  # of another width, as all is
            or extra != encoder.num_extra_tokens):
        return
    if pos_grid is None and own.shape[1] != extra + math.prod(USUAL_GRID):
        return  # the refusal says how to give the grid
    rows, columns = encoder.grid
    found[_POSITIONS] = resize_positions(own, (rows, columns), pos_grid,
                                         extra)
    print_log(
        f'Positions of {own.shape[1] - extra} patches interpolated for the '
        f'{rows}x{columns} of this encoder, on the grid that the patches had '
        f'({"x".join(map(str, pos_grid or USUAL_GRID))})',
        logger='current')
