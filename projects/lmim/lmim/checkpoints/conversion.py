"""From one format to another: the same tensors by other names."""
import re
from typing import Dict, List, NamedTuple

import torch

from lmim.utils.errors import CheckpointError, some
from .contents import Checkpoint
from .formats import (ENCODER, FORMATS, MASK_TOKEN, SPLIT, TEACHER,
                      CheckpointFormat)

#: The parts of models, by what our names of them start with.
PARTS = {
    ENCODER + MASK_TOKEN: 'mask token',
    f'{ENCODER}{SPLIT}.': 'style and content',
    ENCODER: 'encoder',
    TEACHER: 'teacher',
    'neck.': 'decoder of pre-training',
    'encoder.': 'projection',
    'decoder.': 'text decoder',
    'glyph_head.': 'head of glyphs',
}
OTHERS = 'others'


class Conversion(NamedTuple):
    """What became of a checkpoint."""
    checkpoint: Checkpoint
    dropped: Dict[str, List[str]]  # names of what was left out, by part


def part_of(name: str) -> str:
    """The part of a model that a weight of our naming is in."""
    return next((part for prefix, part in PARTS.items()
                 if name.startswith(prefix)), OTHERS)


def convert(checkpoint: Checkpoint, kind: CheckpointFormat,
            drop: bool = False) -> Conversion:
    """Give a checkpoint of any known format the names of another.

    The tensors stay what they are, to the bit. ``drop`` leaves parts out that
    the format has no place for.

    Raises:
        CheckpointError: If the format of the checkpoint is not known, if the
            other has no place for a part and ``drop`` is off, or if it needs
            a part that the checkpoint does not have.
    """
    source = checkpoint.kind
    if source is None:
        raise CheckpointError(
            f'checkpoint {checkpoint.path} is of no format that is known, so '
            'its names cannot be changed; its weights are called '
            f'{sorted(checkpoint.weights)[:8]} ... --to same keeps them')
    ours = {name: source.names.ours(name) for name in checkpoint.weights}
    unknown = [name for name in ours if ours[name] is None]
    strange = [name for name in unknown if not re.match(source.aside, name)]
    if strange:
        raise CheckpointError(
            f'checkpoint {checkpoint.path} looks like {source.name}, but has '
            f'weights that this format does not: {some(strange)}. A model '
            'with these computes something else, so it is not converted')
    by_part: Dict[str, Dict[str, str]] = {}
    for name, own in ours.items():
        if own is not None:
            by_part.setdefault(part_of(own), {})[own] = name
    # A part is held whole or not at all.
    held = [part for part, names in by_part.items()
            if all(map(kind.names.theirs, names))]
    dropped = {part: list(by_part[part].values())
               for part in sorted(by_part) if part not in held}
    if unknown:
        dropped['classifier'] = sorted(unknown)
    renamed = {own: checkpoint.weights[name]
               for part in held for own, name in by_part[part].items()}
    _check_needs(renamed, checkpoint, kind, dropped)
    if dropped and not drop:
        listed = '; '.join(f'{part} ({some(names)})'
                           for part, names in dropped.items())
        raise CheckpointError(
            f'{kind.name} has no place for parts of {checkpoint.path} '
            f'({source.name}): {listed}. Add --drop to leave them out')
    weights = {str(kind.names.theirs(own)): value
               for own, value in renamed.items()}
    meta = dict(checkpoint.meta)
    if source.key != kind.key:
        meta['converted_from'] = source.name
    return Conversion(
        checkpoint._replace(
            weights=weights, meta=meta, wraps=kind.wraps, kind=kind), dropped)


def extract_encoder(checkpoint: Checkpoint) -> Conversion:
    """Take only the encoder of a checkpoint of any known format, by our names.

    What parts its tokens in style and content belongs to it.

    Raises:
        CheckpointError: If there is no encoder, or none for word images.
    """
    whole = convert(checkpoint, FORMATS['ours'], drop=True)
    assert checkpoint.kind is not None
    dropped, start = dict(whole.dropped), checkpoint.kind.encoder
    parts = (PARTS[ENCODER], PARTS[f'{ENCODER}{SPLIT}.'])
    weights = {}
    for name, value in whole.checkpoint.weights.items():
        own = name.startswith(start) and ENCODER + name[len(start):]
        if own and part_of(own) in parts:
            weights[own] = value
        else:
            dropped.setdefault(part_of(name), []).append(name)
    if not weights:
        raise CheckpointError(f'checkpoint {checkpoint.path} has no encoder')
    return Conversion(whole.checkpoint._replace(weights=weights), dropped)


def _check_needs(renamed: Dict[str, torch.Tensor], checkpoint: Checkpoint,
                 kind: CheckpointFormat,
                 dropped: Dict[str, List[str]]) -> None:
    """Refuse what would be only a piece of a format."""
    lacking: List[str] = []
    for prefix, part in PARTS.items():
        present = any(name.startswith(prefix) for name in renamed)
        if not present and prefix in kind.needs:
            why = (': what the file has is of another kind'
                   if part in dropped else '')
            lacking.append(f'a {part} of its kind{why}')
        elif present:
            lacking += kind.names.lacking(renamed, prefix)
    if 'projection' in dropped and 'decoder.' in kind.needs:
        lacking.append('a text decoder that reads the encoder as it is, '
                       'without a projection between them')
    if lacking:
        raise CheckpointError(
            f'{kind.name} needs what {checkpoint.path} does not have: '
            f'{some(lacking)}')
    if kind.start_rows is None:
        return
    rows = len(renamed['decoder.trg_word_emb.weight'])
    classes = len(renamed['decoder.classifier.bias'])
    if rows - classes != kind.start_rows:
        raise CheckpointError(
            f'{kind.name} embeds {kind.start_rows} symbols more than it has '
            f'classes (the start), and the text decoder of {checkpoint.path} '
            f'embeds {rows} for {classes} classes: it is of another kind')
