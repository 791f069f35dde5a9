"""`probe`: what a checkpoint's encoder has learnt."""
import argparse
from pathlib import Path
from typing import Any, Dict, Optional

from mmocr.registry import MODELS

from lmim.apis.loading import (ModelConfig, find_config, load_encoder,
                               load_pretrained)
from lmim.checkpoints import open_checkpoint
from lmim.cli import Command, at_least
from lmim.evaluation.probes import (draw_words, probe_encoder,
                                    probe_prediction, read_words)
from lmim.models.selfsup import SelfSup
from lmim.visualization.reconstruction import reconstruct, view_batch
from .convert import INPUT

#: Pictures of which targets are computed.
COMPARED = 64
#: How figures are told, in this order.
_LINES = (
    ('[CLS]: standard deviation over pictures {cls_std:.4f} at a norm of '
     '{cls_norm:.3f} (spread {cls_relative:.4f}, 0 is collapsed), effective '
     'rank {cls_rank:.1f}', 'cls_std'),
    ('patches: {patch_within:.1%} of their variance is within pictures, '
     'effective rank {patch_rank:.1f}', 'patch_within'),
    ('characters: a linear probe reads {character_accuracy:.1%} of held-out '
     'patches (always the commonest: {character_chance:.1%})',
     'character_accuracy'),
    ('target: {target_within:.1%} is within pictures, {target_picture:.1%} '
     "each picture's mean", 'target_within'),
    ("prediction: {pred_within:.1%} is within pictures, {pred_picture:.1%} "
     "each picture's mean", 'pred_within'),
)


class Probe(Command):
    """Measure what an encoder has learnt, without fine-tuning.

    How far [CLS] and patches differ between and within pictures, how many
    directions they fill, and how well a linear probe reads characters off
    patches. Of a checkpoint of pre-training that carries its config, also
    how much of target and prediction differs within pictures. Words are
    drawn, with the place of each letter; of --data characters are taken to
    be of equal width.
    """

    name = 'probe'
    summary = 'measure what an encoder has learnt, without fine-tuning'
    example = 'probe work_dirs/my_lmim/epoch_10.pth'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('input', **INPUT)
        add('--data', nargs='+', metavar='PATH',
            help='words to probe with: LMDBs, folders, lists (default: drawn)')
        add('--unlabelled', action='store_true',
            help='--data has no labels: no characters are probed')
        add('-n', '--number', type=at_least(2), default=500, metavar='N',
            help='the most words (default: %(default)s)')
        add('--config', type=Path, metavar='CONFIG',
            help='its config, where the checkpoint carries none')
        add('--target-checkpoint', type=Path, metavar='FILE',
            help='the encoder that makes the targets, where the checkpoint '
            'does not hold it (those of this project do)')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Probe one file."""
        opened = open_checkpoint(args.input)
        config = find_config(opened, args.config)
        encoder = load_encoder(opened, config)
        size = encoder.img_size
        words = (read_words(args.data, args.number, size,
                            not args.unlabelled) if args.data else
                 draw_words(args.number, size))
        figures = probe_encoder(encoder, words)
        # An encoder alone may carry the config of the whole that it is from.
        if _pretrains(config) and any(name.startswith('neck.') for name
                                      in opened.by_our_names()):
            model: Any = load_pretrained(args.input, args.config,
                                         args.target_checkpoint)
            found = probe_prediction(reconstruct(model, view_batch(
                list(words.images[:COMPARED]), size,
                model.alone[0], meta_keys=model.alone[1])).found)
            figures.update({name: value for name, value in found.items()
                            if name.startswith(('target_', 'pred_'))})
        return {'checkpoint': str(args.input), 'words': len(words.images),
                **figures}

    def report(self, result: Dict[str, Any]) -> str:
        """Say the figures."""
        return '\n'.join([
            '{checkpoint}, over {words} words'.format(**result),
            *(line.format(**result) for line, key in _LINES
              if key in result)])


def _pretrains(config: Optional[ModelConfig]) -> bool:
    """Whether a config is of a method of pre-training."""
    if config is None:
        return False
    model = MODELS.get(str(config.model['type']).rpartition('.')[2])
    return isinstance(model, type) and issubclass(model, SelfSup)
