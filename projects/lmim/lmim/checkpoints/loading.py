"""Loading pre-trained encoders, with a report and a refusal."""
import math
import re
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import torch
from mmengine.logging import print_log

from lmim.utils.errors import CheckpointError, some
from .formats import ENCODER, detect_format, to_ours
from .positions import USUAL_GRID, resize_positions
from .reading import read_weights

_POSITIONS = 'pos_embed'


class LoadReport(NamedTuple):
    """What a checkpoint gave to a module.

    Attributes:
        source (str): File and format.
        loaded (List[str]): Names that were loaded.
        missing (List[str]): Names of the module that the file lacks.
        mismatched (List[str]): Names with both shapes, file and module.
        unexpected (List[str]): Encoder weights of the file that the module
            has no place for.
        unused (int): Number of weights of the file that belong to other parts
            of its model.
    """
    source: str
    loaded: List[str]
    missing: List[str]
    mismatched: List[str]
    unexpected: List[str]
    unused: int

    @property
    def is_full(self) -> bool:
        """Whether every weight of the module was loaded and none left over."""
        return not (self.missing or self.mismatched or self.unexpected)

    def __str__(self) -> str:
        return (f'{self.source}: {len(self.loaded)} tensors loaded, '
                f'{len(self.missing)} missing, {len(self.mismatched)} of '
                f'another shape, {len(self.unexpected)} unexpected, '
                f'{self.unused} of other parts left aside')

    def details(self) -> str:
        """What does not fit, a line for each kind, '' where all does."""
        return ''.join(f'\n  {what}: {some(names, 8)}'
                       for what in ('missing', 'mismatched', 'unexpected')
                       for names in [getattr(self, what)] if names)


def load_encoder(encoder: Any,
                 path: str,
                 allow_partial: bool = False,
                 pos_grid: Optional[Tuple[int, int]] = None) -> LoadReport:
    """Load the encoder of any known checkpoint into a :class:`TextViT`.

    Args:
        encoder (nn.Module): Filled in place.
        path (str): Checkpoint file.
        allow_partial (bool): Take what fits instead of refusing.
        pos_grid (Tuple[int, int], optional): Rows and columns of patches that
            the checkpoint's images had. Needed where the encoder has another
            number of patches, unless those were 8x32; see
            :func:`~.positions.resize_positions`.

    Returns:
        LoadReport: What was loaded and what was not; also logged.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If the file cannot be read, is of an unknown format,
            or, without ``allow_partial``, does not match in every key.
    """
    weights = read_weights(path)
    try:
        kind = detect_format(weights)
    except ValueError as error:
        raise CheckpointError(
            f'checkpoint {path} holds no encoder for word images: '
            f'{error}') from error
    renamed = to_ours(weights)
    found = {
        name[len(ENCODER):]: value
        for name, value in renamed.items() if name.startswith(ENCODER)
    }
    # What the format does not know of an encoder makes it another encoder.
    found.update({
        name: value for name, value in weights.items()
        if name.startswith(kind.prefix) and kind.names.ours(name) is None
        and not re.match(kind.aside, name)
    })
    wanted = encoder.state_dict()
    _fit_positions(found, wanted, encoder.grid, pos_grid)
    report = compare(wanted, found, f'{path} ({kind.name})',
                     len(renamed) - len(found))
    print_log(f'Encoder from {report}', logger='current')
    if not report.is_full and not allow_partial:
        raise CheckpointError(
            f'the encoder does not match {report}.{report.details()}\n'
            'Set arch, img_size and patch_size of the encoder to those of the '
            "checkpoint. Or add to init_cfg=dict(type='Pretrained', ...): "
            'allow_partial=True, to start the rest from scratch; where only '
            'the size of the images differs, pos_grid=(rows, columns), the '
            'patches that those of the checkpoint had.')
    encoder.load_state_dict({name: found[name] for name in report.loaded},
                            strict=False)
    return report


def _fit_positions(found: Dict[str, torch.Tensor],
                   wanted: Dict[str, torch.Tensor], grid: Tuple[int, int],
                   pos_grid: Optional[Tuple[int, int]]) -> None:
    """Interpolate the positions found where the encoder has more or fewer."""
    own = found.get(_POSITIONS)
    if own is None or own.dim() != 3 or own.shape == (
            wanted[_POSITIONS].shape):
        return
    if own.shape[2] != wanted[_POSITIONS].shape[2]:
        return  # of another width, as everything else is
    if pos_grid is None and own.shape[1] != 1 + math.prod(USUAL_GRID):
        return  # the refusal says how to tell the grid
    found[_POSITIONS] = resize_positions(own, grid, pos_grid)
    print_log(
        f'Positions of {own.shape[1] - 1} patches interpolated for the '
        f'{grid[0]}x{grid[1]} of this encoder, on the grid that the patches '
        f'had ({"x".join(map(str, pos_grid or USUAL_GRID))})',
        logger='current')


def compare(wanted: Dict[str, torch.Tensor], found: Dict[str, torch.Tensor],
            source: str, unused: int = 0) -> LoadReport:
    """Compare the weights of a file with those of a module.

    Args:
        wanted (Dict[str, torch.Tensor]): Those of the module by name.
        found (Dict[str, torch.Tensor]): Those of the file by name.
        source (str): The file and its format, for the report.
        unused (int): How many others the file has.

    Returns:
        LoadReport: What fits and what does not.
    """
    loaded, mismatched = [], []
    for name in sorted(wanted.keys() & found.keys()):
        if wanted[name].shape == found[name].shape:
            loaded.append(name)
        else:
            mismatched.append(f'{name} ({tuple(found[name].shape)} in the '
                              f'file, {tuple(wanted[name].shape)} in the '
                              'model)')
    return LoadReport(
        source=source,
        loaded=loaded,
        missing=sorted(wanted.keys() - found.keys()),
        mismatched=mismatched,
        unexpected=sorted(found.keys() - wanted.keys()),
        unused=unused)
