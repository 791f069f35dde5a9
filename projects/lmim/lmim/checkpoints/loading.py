"""Loading pre-trained encoders, with a report and a refusal."""
from typing import Dict, List, NamedTuple, Tuple

import torch
from mmengine.logging import print_log
from torch import nn

from .errors import CheckpointError
from .formats import detect_format, to_ours
from .reading import read_weights

_ENCODER = 'backbone.'


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


def load_encoder(encoder: nn.Module,
                 path: str,
                 allow_partial: bool = False) -> LoadReport:
    """Load the encoder of any known checkpoint into a :class:`TextViT`.

    Args:
        encoder (nn.Module): Filled in place.
        path (str): Checkpoint file.
        allow_partial (bool): Take what fits instead of refusing.

    Returns:
        LoadReport: What was loaded and what was not; also logged.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If the file cannot be read, is of an unknown format,
            or, without ``allow_partial``, does not match in every key.
    """
    weights = read_weights(path)
    try:
        source = f'{path} ({detect_format(list(weights)).name})'
        renamed = to_ours(weights)
    except ValueError as error:
        raise CheckpointError(
            f'checkpoint {path} holds no encoder for word images: '
            f'{error}') from error
    found = {
        name[len(_ENCODER):]: value
        for name, value in renamed.items() if name.startswith(_ENCODER)
    }
    report, fitting = _compare(encoder, found, source,
                               len(renamed) - len(found))
    print_log(f'Encoder from {report}', logger='current')
    if not report.is_full and not allow_partial:
        raise CheckpointError(_refusal(report))
    encoder.load_state_dict(fitting, strict=False)
    return report


def _compare(module: nn.Module, found: Dict[str, torch.Tensor], source: str,
             unused: int) -> Tuple[LoadReport, Dict[str, torch.Tensor]]:
    wanted = module.state_dict()
    fitting, mismatched = {}, []
    for name in wanted.keys() & found.keys():
        if wanted[name].shape == found[name].shape:
            fitting[name] = found[name]
        else:
            mismatched.append(f'{name} ({tuple(found[name].shape)} in the '
                              f'file, {tuple(wanted[name].shape)} in the '
                              'model)')
    report = LoadReport(
        source=source,
        loaded=sorted(fitting),
        missing=sorted(wanted.keys() - found.keys()),
        mismatched=sorted(mismatched),
        unexpected=sorted(found.keys() - wanted.keys()),
        unused=unused)
    return report, fitting


def _refusal(report: LoadReport) -> str:
    lines = [f'the encoder does not match {report}.']
    for what in ('missing', 'mismatched', 'unexpected'):
        names = getattr(report, what)
        if names:
            more = f' ... and {len(names) - 8} more' if len(names) > 8 else ''
            lines.append(f'  {what}: ' + ', '.join(names[:8]) + more)
    lines.append(
        'Set arch, img_size and patch_size of the encoder to those of the '
        'checkpoint, or, to start the rest from scratch, add '
        "allow_partial=True to init_cfg=dict(type='Pretrained', ...)")
    return '\n'.join(lines)
