"""ODM: of word crops all of a step; of the published one what is used."""
from typing import Any, Dict, Iterator, List, Tuple

import numpy as np
import torch
import torch.nn.functional as F

from lmim.checkpoints import names_to_ours, to_ours

from .common import Check, Reference, build, checks, part_of, vit_cfg

#: Below our names of ODM's parts, and theirs.
PARTS = (('text.', 'text_encoder.'), ('decoder.pred.', 'head.pred.'),
         ('decoder.', 'neck.'), ('image_projection.', 'image_projection.'),
         ('logit_scale', 'contrast_head.logit_scale'))
#: Of their encoders, and where these are in ours.
ENCODERS = (('encoder.', 'backbone.'), ('ocr.', 'perceptual_head.encoder.'))


class Classes:
    """A dictionary of classes that are known by their numbers alone."""

    def __init__(self, num_classes: int, padding: int, end: int) -> None:
        self.num_classes = num_classes
        self.padding_idx, self.end_idx = padding, end


def text_encoder(num_classes: int, padding: int, end: int,
                 **kwargs: Any) -> Any:
    """A prompt's encoder, of classes that need no characters."""
    from mmocr.registry import TASK_UTILS
    if 'ReferenceClasses' not in TASK_UTILS.module_dict:
        TASK_UTILS.register_module('ReferenceClasses', module=Classes)
    return dict(type='TextPromptEncoder', dictionary=dict(
        type='ReferenceClasses', num_classes=num_classes, padding=padding,
        end=end), **kwargs)


@checks('ODM of word crops', 'meta', 'meta_names', 'images', 'labels',
        'target_soft', 'text_chars')
def check_odm_crop(ref: Reference) -> Iterator[Check]:
    """Run a step without dropped or exchanged prompts."""
    sizes, state = ref.sizes(), ref.weights()
    images, labels = ref.tensor('images'), ref.tensor('labels').long()
    glyphs = ref.tensor('target_soft')
    if labels.shape != (sizes['batch'], sizes['length']):
        raise RuntimeError('batch, length')

    def vit(prefix: str, name: str) -> Dict[str, Any]:
        weights = to_ours(part_of(state, prefix))
        return vit_cfg('TextViT', [sizes[f'{name}{key}'] for key in (
            'embed', 'depth', 'heads')], weights, images)

    backbone, ocr = vit('encoder.', ''), vit('ocr.', 'ocr_')
    patch = backbone['patch_size']
    grid = [side // step for side, step in zip(images.shape[-2:], patch)]
    rows = len(state['text.token_embedding.weight'])
    model = build(dict(
        type='ODM', backbone=backbone,
        text_encoder=text_encoder(
            rows, rows - 2, rows - 3, out_dims=sizes['joint'],
            max_len=sizes['length'], embed_dims=sizes['text_width'],
            num_layers=sizes['text_layers'], num_heads=sizes['text_heads']),
        neck=dict(
            type='TextPromptedDecoder', num_patches=grid[0] * grid[1],
            embed_dims=sizes['joint'], num_layers=sizes['decoder_layers'],
            num_heads=sizes['decoder_heads']),
        head=dict(type='DestylizationHead', in_dims=sizes['joint'],
                  patch_size=patch, grid=grid),
        perceptual_head=dict(type='OCRPerceptualHead', encoder=ocr),
        prompt_drop=0., prompt_swap=0.))
    # By their names, ours.
    named = {
        prefix + theirs: part + ours[len('backbone.'):]
        for prefix, part in ENCODERS
        for theirs, ours in names_to_ours(part_of(state, prefix)).items()}
    for theirs in state.keys() - named.keys():
        named[theirs] = next(
            ours + theirs[len(prefix):] for prefix, ours in PARTS
            if theirs.startswith(prefix))
    weights = {ours: state[theirs] for theirs, ours in named.items()}
    kept = {f'data_preprocessor.{name}': value for name, value in
            model.data_preprocessor.state_dict().items()}
    model.load_state_dict({**kept, **weights})

    inputs = images / 127.5 - 1
    tokens = model.backbone(inputs)
    joint = model.image_projection(tokens)
    text = model.text_encoder(labels)
    maps: List[torch.Tensor] = []
    out = model.neck(joint[:, 1:], text, model.text_encoder.hidden(labels),
                     maps=maps)
    logits = model.paint(joint, labels)
    contrast, reader = model.contrast_head, model.perceptual_head
    word = model.word(labels)
    similarity = contrast.similarity(joint[:, 0], word)
    twins = contrast.twins(labels)
    own = torch.arange(len(labels))
    ones = torch.ones(len(labels))
    losses = dict(
        loss_seg=model.head.loss(logits, glyphs, ones),
        loss_ocr=reader.loss(logits, glyphs, ones),
        loss_contrastive=contrast.loss(joint[:, 0], word, labels))
    masked = similarity.masked_fill(twins, -torch.inf)
    for name, value in dict(
            losses, tokens=tokens, image_joint=joint, text_chars=text,
            decoder_out=out, logits=logits,
            image_features=F.normalize(joint[:, 0]),
            text_features=F.normalize(word), similarity=similarity,
            loss=sum(losses.values()),
            loss_image_to_text=F.cross_entropy(masked, own),
            loss_text_to_image=F.cross_entropy(masked.T, own),
            loss_contrastive_twins_kept=contrast.loss(
                joint[:, 0], word, own[:, None])).items():
        yield ref.compare(name, value)
    for number, value in enumerate(maps):
        yield ref.compare(f'decoder_attention{number}', value)
    both = np.isneginf(ref['similarity_masked']) & twins.numpy()
    with np.errstate(invalid='ignore'):  # infinite in both
        yield ref.compare('similarity_masked', masked, places=~both)
    for distance, name in (('l1', 'ocr_l1_terms'), ('lpips', 'ocr_terms')):
        reader.distance = distance
        terms = reader.terms(logits.sigmoid(), glyphs / 255)
        yield ref.compare(name, terms.mean(1), scaled=True)
    sum(losses.values()).backward()
    parameters = dict(model.named_parameters())
    yield from ref.compare_norms('gradnorm.', {
        theirs: parameters[ours] for theirs, ours in named.items()
        if ours in parameters and parameters[ours].requires_grad})


def renamed(weights: Dict[str, torch.Tensor],
            *names: Tuple[str, str]) -> Dict[str, torch.Tensor]:
    """Weights whose names begin as told, by our names."""
    return {ours + name[len(theirs):]: value for theirs, ours in names
            for name, value in weights.items() if name.startswith(theirs)}


@checks('ODM', 'meta', 'meta_names', 'images', 'texts', 'target_soft',
        'text.encoded', 'visual.x5',
        left=('state.', 'lpips.', 'visual.', 'ocr.', 'gradnorm.', 'images',
              'fpn', 'vgg_widths', 'without_gradient'))
def check_odm(ref: Reference) -> Iterator[Check]:
    """Run text encoder, cross-attention, and the losses."""
    sizes, state = ref.sizes(), ref.weights()
    # Also of the networks, which are not computed.
    ref.check_sizes(
        width=('state.visual.layer1.0.conv1.weight', 0),
        resolution=('images', 2), fpn=('fpn', 1),
        **{f'layers{number}': (f'state.visual.layer{number}.', -1)
           for number in range(1, 5)})
    texts = ref.tensor('texts').long()
    if texts.shape != (sizes['batch'], sizes['words'], sizes['chars']):
        raise RuntimeError('batch, words, chars')
    embedding = state['token_embedding.weight']
    encoder = build(text_encoder(
        len(embedding), 0, len(embedding) - 1, out_dims=sizes['embed'],
        max_len=sizes['chars'], embed_dims=sizes['text_width'],
        num_layers=sizes['text_layers'], num_heads=sizes['heads']), {
            'projection.weight': state['text_projection'].T,
            **renamed(state, ('token_embedding.', 'token_embedding.'),
                      ('positional_embedding', 'positions'),
                      ('transformer.resblocks.', 'blocks.'),
                      ('ln_final.', 'ln_final.'))})
    decoder = build(dict(
        type='TextPromptedDecoder', num_patches=len(state['image_pos']),
        embed_dims=sizes['embed'], num_layers=sizes['decoder_layers'],
        num_heads=sizes['heads']), renamed(
            state, ('image_pos', 'image_pos'),
            ('transformer_decoder.resblocks.', 'blocks.'),
            ('ln_final_decoder.', 'ln_final.')))
    outputs: Dict[str, torch.Tensor] = {}

    def keep(name: str, module: Any) -> None:
        module.register_forward_hook(
            lambda *call: outputs.__setitem__(name, call[2]))

    for number, block in enumerate(encoder.blocks):
        keep(f'text.block{number}', block)
    keep('text.ln_final', encoder.ln_final)
    for number, block in enumerate(decoder.blocks):
        keep(f'decoder.block{number}', block)
    # A word is the mean of all its places, padding included.
    words = encoder(texts.flatten(0, 1)).mean(1).unflatten(
        0, texts.shape[:2])
    tokens = ref.tensor('visual.x5').transpose(0, 1)
    maps: List[torch.Tensor] = []
    nothing = torch.zeros(texts.shape[:2], dtype=torch.bool)
    out = decoder.ln_final(decoder(tokens[:, 1:], words, nothing, maps=maps))
    yield ref.compare('text.encoded', words)
    for name, value in outputs.items():
        yield ref.compare(name, value if name == 'text.ln_final' else
                          value.transpose(0, 1))
    for number, value in enumerate(maps):
        yield ref.compare(f'decoder.attention{number}', value)
    yield ref.compare('decoder.out', out)

    contrast = build(dict(type='ImageTextContrastiveHead'), {
        'logit_scale': state['logit_scale']})
    image, text = tokens[:, 0], words.mean(1)
    different = torch.arange(len(texts))[:, None]
    head = build(dict(type='DestylizationHead'))
    logits = ref.tensor('logits')[:, 0]
    losses = dict(
        loss_seg=head.loss(logits, ref.tensor('target_soft'),
                           torch.ones(len(texts))),
        loss_ocr=ref.tensor('ocr.lpips_terms').sum(0).mean(),
        loss_contrastive=contrast.loss(image, text, different))
    for name, value in dict(
            losses, image_features=F.normalize(image),
            text_features=F.normalize(text), loss=sum(losses.values()),
            logit_scale_exp=contrast.logit_scale.exp(),
            logits_per_image=contrast.similarity(image, text)).items():
        yield ref.compare(name, value)
