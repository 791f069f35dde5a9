"""DARLING's step, computed from a description: no code of it is public."""
from typing import Iterator

import torch
import torch.nn.functional as F

from lmim.checkpoints import names_to_ours, to_ours
from lmim.models.necks.prompted_painter import emptied

from .common import RELATIVE, Check, Reference, build, checks, vit_cfg
from .lmim import any_dictionary


@checks('DARLING', 'meta', 'meta_names', 'image_a', 'image_erased', 'text_a')
def check_darling(ref: Reference) -> Iterator[Check]:
    """Run a step: halves, reading, painting, losses and gradients."""
    sizes, state = ref.sizes(), ref.weights()
    weights = to_ours(state)
    views = [ref.tensor(f'image_{name}').float() / 127.5 - 1
             for name in ('a', 'b', 'erased')]
    texts = torch.cat([ref.tensor(f'text_{name}').long() for name in 'ab'])
    if (len(views[0]), texts.shape[1]) != (sizes['batch'], sizes['length']):
        raise RuntimeError('batch, length')
    backbone = vit_cfg('ContentViT', ref['meta'].tolist(), weights,
                       views[0].numpy())
    grid = [side // patch for side, patch in zip(backbone['img_size'],
                                                 backbone['patch_size'])]
    classes = len(weights['decoder.classifier.bias'])
    width = sizes['decoder_dims']
    layer = dict(embed_dims=width, num_heads=sizes['decoder_heads'],
                 head_dims=sizes['head_dims'],
                 feedforward_channels=sizes['feedforward'],
                 max_seq_len=sizes['length'])
    # Of the file's classes two are the end and padding, the last unknown.
    with any_dictionary(classes) as dictionary:
        model = build(dict(
            type='DARLING', backbone=backbone,
            neck=dict(
                layer, type='PromptedPainter', in_dims=sizes['embed'],
                num_layers=sizes['painter_layers'], num_classes=classes,
                padding_idx=classes - 2, grid=grid,
                patch_size=backbone['patch_size']),
            encoder=dict(type='LinearEncoder', in_dims=sizes['embed'] // 2,
                         embed_dims=width),
            decoder=dict(
                layer, type='TextTransformerDecoder', dictionary=dictionary,
                num_layers=sizes['reader_layers'],
                module_loss=dict(type='WordLoss')))).eval()
    missing = model.load_state_dict(weights, strict=False)
    if missing.unexpected_keys or any(
            not name.endswith('position_table')
            for name in missing.missing_keys):
        raise RuntimeError(str(missing))
    decoder, neck = model.decoder, model.neck
    parted = model.backbone.part(torch.cat(views[:2]), model.taps)
    for half in (parted.style, parted.content):
        half.retain_grad()
    logits = decoder.teacher_forced(model.encoder(parted.content), texts)
    painted = model.paint(parted, texts.roll(len(views[0]), dims=0))
    removed = model.paint(parted, emptied(
        texts, decoder.end_idx, decoder.padding_idx))
    update = neck.injections[0](parted.tapped[-1])
    gate = neck.gate(0, neck.style_embed(parted.style) + neck.image_pos,
                     update)
    losses = dict(
        loss_ce=F.cross_entropy(
            logits.flatten(0, 1), texts.flatten(), reduction='sum',
            ignore_index=decoder.padding_idx) / len(logits),
        loss_align=model.align_head.loss(*parted.style.chunk(2)),
        loss_edit=F.l1_loss(painted, torch.cat(views[1::-1])),
        loss_remove=F.l1_loss(removed, torch.cat([views[2]] * 2)))
    total = sum(losses.values())

    def first(value: torch.Tensor) -> torch.Tensor:
        return value[:len(views[0])]

    outputs = dict(
        losses, loss=total, tokens_a=first(parted.tokens),
        painted_b=first(painted), erased_a=first(removed),
        painted_a_mean=painted[len(views[0]):].mean(dim=(2, 3)),
        gate0_mean=first(gate).mean(dim=1))
    for name, both in (('style', parted.style), ('content', parted.content),
                       ('logits', logits)):
        outputs.update({f'{name}_{each}': value for each, value
                        in zip('ab', both.chunk(2))})
    for name, value in outputs.items():
        yield ref.compare(name, value)
    reading, = torch.autograd.grad(losses['loss_ce'], parted.content,
                                   retain_graph=True)
    painting, = torch.autograd.grad(
        losses['loss_edit'] + losses['loss_remove'], parted.style,
        retain_graph=True)
    for name, value in (('content_of_reader', reading),
                        ('style_of_painter', painting)):
        yield ref.compare(f'gradnorm_{name}', first(value).norm(), RELATIVE,
                          scaled=True)
    total.backward()
    theirs = {ours: name for name, ours in names_to_ours(state).items()}
    yield from ref.compare_norms('gradnorm.', {
        theirs[name]: parameter
        for name, parameter in model.named_parameters()
        if parameter.requires_grad})
