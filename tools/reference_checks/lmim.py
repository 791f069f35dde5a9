"""LMIM's pre-training and its recognizer."""
import tempfile
from contextlib import contextmanager
from typing import Iterator

import numpy as np
import torch

from lmim.checkpoints import names_to_ours, to_ours

from .common import Check, Reference, build, checks, vit_cfg


@checks('pre-training', 'meta', 'guidance_imgs', 'noise', 'mask_ratio')
def check_pretrain(ref: Reference) -> Iterator[Check]:
    """Run the pre-training model: both passes, losses and gradients."""
    state = ref.weights()
    weights = to_ours(state)
    meta = ref['meta'].tolist()
    images, guidance_view, noise = (ref.tensor(name).float() for name in (
        'imgs', 'guidance_imgs', 'noise'))
    backbone = vit_cfg('MaskedViT', meta, weights, ref['imgs'])
    grid = [size // patch for size, patch in zip(backbone['img_size'],
                                                 backbone['patch_size'])]
    mask = dict(type='RandomMasking', ratio=float(ref['mask_ratio']))
    hidden = len(weights['neck.decoder_blocks.0.linear1.bias'])
    model = build(dict(
        type='LMIM', backbone=dict(backbone, mask=mask),
        neck=dict(type='LinguisticsGuidedDecoder', in_dims=meta[0],
                  out_dims=meta[0], embed_dims=meta[3], num_layers=meta[4],
                  num_heads=meta[5], feedforward_channels=hidden, grid=grid),
        target_generator=dict(type='MAERecTargetExtractor',
                              encoder=dict(backbone, type='TextViT'))),
        weights)
    visible, mask, ids_restore = model.backbone(images, noise=noise)
    guidance = model.backbone(guidance_view, mask=False)
    losses = model.loss([images, guidance_view], noise=noise)
    total = sum(losses.values())
    outputs = dict(
        mask=mask, ids_restore=ids_restore, latent_masked=visible,
        latent_guidance=guidance, cls_masked=visible[:, 0],
        cls_guidance=guidance[:, 0], target=model.target_generator(images),
        pred=model.neck(visible, ids_restore, guidance), loss=total, **losses)
    for name, value in outputs.items():
        yield ref.compare(name, value)

    total.backward()
    theirs = {ours: name for name, ours in names_to_ours(state).items()}
    yield from ref.compare_norms('gradnorm.', {
        theirs[name]: parameter
        for name, parameter in model.named_parameters()
        if parameter.requires_grad})


@contextmanager
def any_dictionary(num_classes: int) -> Iterator[dict]:
    """The config of a dictionary of so many classes.

    Any characters do: only their number counts. Three classes are the end,
    padding and unknown tokens.
    """
    with tempfile.NamedTemporaryFile('w', suffix='.txt',
                                     encoding='utf-8') as file:
        first = 0x4E00
        file.write('\n'.join(map(chr, range(first, first + num_classes - 3))))
        file.flush()
        yield dict(type='Dictionary', dict_file=file.name, with_end=True,
                   with_padding=True, with_unknown=True)


@checks('recognizer', 'meta', 'imgs', 'targets', 'enc')
def check_recognizer(ref: Reference) -> Iterator[Check]:
    """Run the recognizer: encoder, teacher forcing and greedy decoding."""
    weights = to_ours(ref.weights())
    meta = ref['meta'].tolist()
    num_classes = len(weights['decoder.classifier.bias'])
    with any_dictionary(num_classes) as dictionary:
        model = build(dict(
            type='EncoderDecoderRecognizer',
            backbone=vit_cfg('TextViT', meta, weights, ref['imgs']),
            encoder=dict(type='LinearEncoder', in_dims=meta[0],
                         embed_dims=meta[3]),
            decoder=dict(
                type='TextTransformerDecoder', dictionary=dictionary,
                embed_dims=meta[3], num_layers=meta[4], num_heads=meta[5],
                head_dims=meta[6], feedforward_channels=meta[7],
                early_stop=False, max_seq_len=ref['targets'].shape[1]),
            data_preprocessor=dict(type='TextRecogDataPreprocessor')), weights)
    with torch.no_grad():
        tokens = model.extract_feat(ref.tensor('imgs'))
        memory = model.encoder(tokens)
        logits = model.decoder.teacher_forced(memory, ref.tensor('targets'))
        probs = model.decoder(tokens, memory).cpu().numpy()
    yield ref.compare('enc', tokens)
    yield ref.compare('memory', memory)
    yield ref.compare('logits_teacher_forced', logits)
    # What follows the end of a word is no output.
    ends = ref['greedy'] == model.decoder.end_idx
    written = np.cumsum(ends, axis=1) - ends == 0
    yield ref.compare('probs_greedy', probs, places=written)
    differing = (probs.argmax(-1) != ref['greedy'])[written].sum()
    yield Check('greedy (characters that differ)', float(differing), 0.)
