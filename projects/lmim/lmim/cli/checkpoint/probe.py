"""`probe`: what a checkpoint's encoder has learnt."""
import argparse
from pathlib import Path
from typing import Any, Dict, List, Optional, Type

import numpy as np
from mmengine.structures import LabelData
from mmocr.registry import MODELS
from mmocr.structures import TextRecogDataSample

from lmim.apis.loading import (ModelConfig, find_config, load_encoder,
                               load_pretrained, load_recognizer)
from lmim.checkpoints import open_checkpoint
from lmim.cli import Command, at_least
from lmim.evaluation.painted_letters import probe_letters
from lmim.evaluation.probes import (ProbeWords, attention_correctness,
                                    draw_words, probe_encoder, probe_halves,
                                    probe_prediction, read_words)
from lmim.models.backbones import ContentViT
from lmim.models.selfsup import ODM, SelfSup
from lmim.visualization.attention import character_attention, normalise
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
    ('attention of a TextTransformerDecoder: {attention_correctness:.1%} of '
     "that of a character is on its own letter's columns",
     'attention_correctness'),
    ('style: a linear probe reads {style_character:.1%} of characters, '
     '{style_font:.1%} of fonts, {style_tone:.1%} of tones of the ground',
     'style_character'),
    ('content: {content_character:.1%} of characters, {content_font:.1%} of '
     'fonts, {content_tone:.1%} of tones (always the commonest: '
     '{chance_character:.1%}, {chance_font:.1%}, {chance_tone:.1%})',
     'content_character'),
    *((line.replace('KIND', kind), f'{kind}_iou{told}')
      for kind, where in (('placed', 'in their places'), ('level', 'level'))
      for told, line in (
          ('', f'plain letters, {where}: IoU {{KIND_iou:.3f}} without a '
           'prompt, {KIND_iou_best:.3f} with the best threshold (the mean '
           'picture: {KIND_iou_mean:.3f} and {KIND_iou_mean_best:.3f}, a '
           'blank one: {KIND_iou_blank:.0f})'),
          ('_told', '  told the word: {KIND_iou_told:.3f} and '
           '{KIND_iou_told_best:.3f}'))),
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
    how much of target and prediction differs within pictures, and, where it
    parts style and content, what either half knows of the other; where it
    paints words in plain letters, how well it does. Of a
    recognizer that attends to letters, how much of that is on the letter
    that it writes. Words are
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
                 draw_words(args.number, size,
                            with_plain_glyphs=_pretrains(config, ODM)))
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
            if isinstance(model.backbone, ContentViT) and words.fonts:
                figures.update(probe_halves(model.backbone, words))
            if isinstance(model, ODM):
                figures.update(probe_letters(model, words))
        elif config is not None and _attends(config):
            figures.update(_correctness(
                load_recognizer(opened, args.config)[0], words))
        return {'checkpoint': str(args.input), 'words': len(words.images),
                **figures}

    def report(self, result: Dict[str, Any]) -> str:
        """Say the figures."""
        return '\n'.join([
            '{checkpoint}, over {words} words'.format(**result),
            *(line.format(**result) for line, key in _LINES
              if key in result)])


def _attends(config: ModelConfig) -> bool:
    """Whether a config is of a recognizer whose attention is known."""
    kind = str((config.model.get('decoder') or {}).get('type'))
    return kind.rpartition('.')[2] in ('TextTransformerDecoder',
                                       'ParallelDecoder')


def _correctness(model: Any, words: ProbeWords) -> Dict[str, float]:
    """How a recognizer attends to words that it can write, if there are."""
    known = set(model.decoder.dictionary.dict)
    chosen = [number for number, text in enumerate(words.texts)
              if text and set(text) <= known]
    if not chosen:
        return {}
    # As if the words had been read, so that they are written as they are.
    samples = [TextRecogDataSample(pred_text=LabelData(
        item=words.texts[number])) for number in chosen]
    device = next(model.parameters()).device
    maps: List[np.ndarray] = []
    for start in range(0, len(chosen), COMPARED):
        part = slice(start, start + COMPARED)
        maps += character_attention(model, normalise(
            [words.images[number] for number in chosen[part]], device),
            samples[part])
    return dict(attention_correctness=attention_correctness(
        maps, words.letters[chosen]))


def _pretrains(config: Optional[ModelConfig],
               method: Type[SelfSup] = SelfSup) -> bool:
    """Whether a config is of a method of pre-training, or of this one."""
    if config is None:
        return False
    model = MODELS.get(str(config.model['type']).rpartition('.')[2])
    return isinstance(model, type) and issubclass(model, method)
