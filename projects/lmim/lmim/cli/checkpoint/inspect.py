"""`inspect`: what a checkpoint is."""
import argparse
from pathlib import Path
from typing import Any, Dict, List, Optional

import torch
from torch import nn

from lmim.apis.fitting import find_configs
from lmim.apis.loading import build_model
from lmim.checkpoints import Checkpoint, CheckpointError, open_checkpoint
from lmim.checkpoints.averaging import not_finite
from lmim.checkpoints.conversion import OTHERS, PARTS, part_of
from lmim.checkpoints.loading import compare, encoder_sizes
from lmim.cli import Command
from lmim.utils.errors import some
from .convert import INPUT, SKIP_CODE, describe_file, file_lines

#: What is told of a checkpoint beside config and dictionary.
_TOLD = ('epoch', 'iter', 'time', 'mmengine_version', 'converted_from',
         'extracted_from', 'averaged', 'record')
#: How many configs of a kind are listed.
_SHOWN = 8


class Inspect(Command):
    """Tell what a checkpoint is: format, sizes, what else is in the file.

    The configs of a folder are tried: those whose whole model has weights of
    these names and shapes, and those of which the encoder has. The exit
    status is 1 where weights are infinite or undefined.
    """

    name = 'inspect'
    summary = 'tell what a checkpoint is and which configs it fits'
    example = 'inspect work_dirs/NAME/epoch_10.pth'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('input', **INPUT)
        add('--configs', type=Path, default=Path('configs'), metavar='DIR',
            help='where to look for configs that fit (default: %(default)s)')
        add('--keys', action='store_true', help='list all weights')
        add('--skip-code', **SKIP_CODE)

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Look into one file."""
        checkpoint = open_checkpoint(args.input, args.skip_code)
        weights = checkpoint.weights
        ours = checkpoint.by_our_names()
        notes: List[str] = []
        model = _own_model(checkpoint, notes)
        fits: Dict[str, Any] = {'whole': [], 'encoder': [], 'unread': {}}
        if args.configs.is_dir():
            found = find_configs(checkpoint, args.configs)
            fits = {key: getattr(found, key) for key in fits}
            model = model or found.model
        else:
            notes.append(f'no configs were tried: {args.configs} is no '
                         'folder; name one with --configs DIR')
        bad = not_finite(weights)
        return {
            'ok': not bad,
            **describe_file(checkpoint, args.input),
            'parts': _parts(ours),
            'encoder': _encoder(ours, model),
            'text_decoder': _text_decoder(ours),
            'also_in_it': checkpoint.others,
            'told': {key: checkpoint.meta[key] for key in _TOLD
                     if key in checkpoint.meta},
            'skipped': checkpoint.skipped,
            'not_finite': bad,
            'fits': fits,
            'notes': notes,
            'keys': {
                name: {'shape': list(value.shape),
                       'dtype': str(value.dtype).rpartition('.')[2]}
                for name, value in weights.items()
            } if args.keys or args.json else {},
        }

    def report(self, result: Dict[str, Any]) -> str:
        """Tell it in words."""
        first, carried = file_lines(result)
        lines = [first]
        lines += [f'  {part}: {count["tensors"]} tensors, '
                  f'{count["values"]:,} values'
                  for part, count in result['parts'].items()]
        lines += _encoder_lines(result['encoder'])
        decoder = result['text_decoder']
        if decoder:
            lines.append('text decoder: {num_layers} layers of {embed_dims} '
                         'channels, {classes} classes, {embedded} symbols '
                         'embedded'.format(**decoder))
        lines.append(carried)
        lines += [f'{key}: {value}' for key, value in result['told'].items()]
        for title, key in (('also in it', 'also_in_it'),
                           ('skipped, as it would have been executed',
                            'skipped'), ('NOT FINITE', 'not_finite')):
            if result[key]:
                lines.append(f'{title}: {some(result[key], 12)}')
        lines += _fit_lines(result['fits']) + result['notes']
        lines += [f'{name}  {tuple(about["shape"])} {about["dtype"]}'
                  for name, about in result['keys'].items()]
        return '\n'.join(lines)


def _own_model(checkpoint: Checkpoint,
               notes: List[str]) -> Optional[nn.Module]:
    """The model of the config that a checkpoint holds, where it fits."""
    try:
        config = checkpoint.model_config()
        if config is None:
            return None
        model = build_model(config, checkpoint.characters())
    except (CheckpointError, KeyError, TypeError) as error:
        notes.append(f'the config that it holds was not tried: {error}')
        return None
    report = compare(model, checkpoint.by_module_names(), 'its own config')
    if not report.is_full:
        notes.append(f'it does not fit the config that it holds: {report}')
        return None
    return model


def _parts(weights: Dict[str, torch.Tensor]) -> Dict[str, Dict[str, int]]:
    """Tensors, values and bytes of each part of a model that is there."""
    parts: Dict[str, List[torch.Tensor]] = {
        part: [] for part in (*PARTS.values(), OTHERS)}
    for name, value in weights.items():
        parts[part_of(name)].append(value)
    return {part: dict(
        tensors=len(held), values=sum(value.numel() for value in held),
        bytes=sum(value.numel() * value.element_size() for value in held))
        for part, held in parts.items() if held}


def _encoder(weights: Dict[str, torch.Tensor],
             model: Optional[nn.Module]) -> Dict[str, Any]:
    """The sizes of an encoder, and what only a model of it knows."""
    sizes = encoder_sizes(weights)
    vit: Any = getattr(model, 'backbone', None)
    vit = getattr(vit, 'vit', vit)  # of one that gives a feature map
    if sizes and hasattr(vit, 'layers') and hasattr(vit, 'grid'):
        sizes.update(num_heads=vit.layers[0].attn.num_heads,
                     img_size=list(vit.img_size), grid=list(vit.grid),
                     patch_size=list(vit.patch_size))  # behind a stem, too
    return sizes


def _text_decoder(weights: Dict[str, torch.Tensor]) -> Dict[str, int]:
    """The sizes of a text decoder of transformer layers; else empty."""
    embedding = weights.get('decoder.trg_word_emb.weight')
    classifier = weights.get('decoder.classifier.weight')
    if embedding is None or classifier is None:
        return {}
    start = 'decoder.layer_stack.'
    return {
        'classes': len(classifier),
        'embedded': len(embedding),
        'embed_dims': embedding.shape[1],
        'num_layers': len({name[len(start):].split('.')[0]
                           for name in weights if name.startswith(start)}),
    }


def _encoder_lines(encoder: Dict[str, Any]) -> List[str]:
    if not encoder:
        return []
    lines = ['encoder: {num_layers} layers of {embed_dims} channels, '
             'feed-forward {feedforward_channels}; ' + (
                 '{num_patches} patches' if 'num_patches' in encoder else
                 'no table of positions, patches') +
             ' of {patch_size[0]}x{patch_size[1]} (height x width)']
    if 'grid' in encoder:  # which weights do not tell
        lines.append('  by the config: {num_heads} heads, {grid[0]}x{grid[1]} '
                     'patches of images of {img_size[0]}x{img_size[1]}')
    return [line.format(**encoder) for line in lines]


def _fit_lines(fits: Dict[str, Any]) -> List[str]:
    lines = []
    for title, key in (('fits', 'whole'), ('its encoder fits', 'encoder')):
        lines += [f'{title} {path}' for path in fits[key][:_SHOWN]]
        if len(fits[key]) > _SHOWN:
            lines.append(f'{title} {len(fits[key]) - _SHOWN} more (--json '
                         'names them)')
    lines += [f'not tried: {path}: {why}'
              for path, why in fits['unread'].items()]
    return lines
