"""CCD's step: regions in two views, distilled; and its recognizer."""
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator

import numpy as np
import torch
import torch.nn.functional as F

from lmim.checkpoints import names_to_ours, to_ours
from lmim.checkpoints.dictionaries import FIRST
from lmim.datasets import GlyphMap
from lmim.datasets.transforms.glyph_map import number_regions
from lmim.models.selfsup.ccd_checkpoints import resample_positions
from lmim.visualization.attention import cross_attention

from .common import Check, Reference, build, checks, vit_cfg

#: Of text and background, by pictures that were clustered and resized. Some
#: masks hold a line that was added by hand.
MASK = 0.01
#: Digits, letters, punctuation, without four signs.
ENGLISH_90 = ''.join(char for char in FIRST if char not in '^{|}')
POSITIONS = 'backbone.pos_embed'
MEAN, STD = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def normalised(pixels: torch.Tensor) -> torch.Tensor:
    """RGB pictures (N, H, W, 3), uint8, as CCD's networks take them."""
    unit = (pixels / 255 - torch.tensor(MEAN)) / torch.tensor(STD)
    return unit.permute(0, 3, 1, 2)


def compare_norms(ref: Reference, model: Any, state: Dict[str, torch.Tensor],
                  prefix: str = '') -> Iterator[Check]:
    """Compare gradients of the weights whose names have a prefix."""
    named = dict(model.named_parameters())
    norms = {theirs[len(prefix):]: named[own]
             for theirs, own in names_to_ours(state).items()
             if theirs.startswith(prefix) and own in named
             and named[own].requires_grad}
    # Their parameter is the square that is resampled.
    square = state[f'{prefix}{POSITIONS}'].clone()
    resample_positions(square.requires_grad_()).backward(
        norms[POSITIONS].grad)
    yield from ref.compare_norms('gradnorm.', {**norms, POSITIONS: square})


@checks('CCD', 'meta', 'meta_names', 'views', 'theta', 'gray', 'center')
def check_ccd(ref: Reference) -> Iterator[Check]:
    """Run a step in eval mode, and the same with the model's own regions."""
    sizes, state = ref.sizes(), ref.weights()
    weights = to_ours(state)
    channels = [len(weights[f'neck.branches.0.{layer}.bn.bias'])
                for layer in range(2)]
    if sorted(channels) != sorted([sizes['mla_channels'],
                                   sizes['mlahead_channels']]):
        raise RuntimeError('mla_channels, mlahead_channels')
    views = ref.tensor('views')
    count, _, height, width, _ = views.shape
    images = normalised(views.transpose(0, 1).flatten(0, 1))
    backbone = dict(
        vit_cfg('TextViT', ref['meta'].tolist(), weights, images),
        with_cls_token=False, freeze_pos_embed=False)
    grid = [side // patch for side, patch in zip((height, width),
                                                 backbone['patch_size'])]
    model = build(dict(
        type='CCD', backbone=backbone,
        neck=dict(type='GlyphSegmentation', in_dims=sizes['embed_dims'],
                  embed_dims=channels[0], tap_dims=channels[1],
                  out_dims=sizes['seg_channels'], grid=grid),
        regions=dict(type='CharacterRegions', grid=grid),
        projector=dict(
            type='PrototypeProjector', in_dims=sizes['embed_dims'],
            hidden_dims=sizes['head_hidden'],
            bottleneck_dims=sizes['head_bottleneck'],
            num_prototypes=sizes['head_out']),
        distillation_head=dict(type='DistillationHead',
                               num_prototypes=sizes['head_out']),
        own_regions=None))
    head, center = model.distillation_head, ref.tensor('center')
    weights.update({'ema.steps': torch.tensor(1),
                    'distillation_head.center': center.clone()})
    model.load_state_dict(weights)
    if count != sizes['batch']:
        raise RuntimeError('batch')
    masks = ref['masks']
    found = np.stack([GlyphMap(img_size=(height, width))(dict(
        img=gray))['glyph_map'] for gray in ref['gray']])
    yield Check('masks (share of pixels that differ)',
                float(((found > 0) != masks).mean()), MASK)
    glyph_map = torch.as_tensor(np.stack([
        number_regions(mask.astype(np.uint8)) for mask in masks]))
    # Some text is in no region.
    glyph_map[(glyph_map == 0) & (ref.tensor('masks') > 0)] = 255
    places = F.affine_grid(ref.tensor('theta')[:, :2], [
        count, 1, height, width], align_corners=False)
    samples = dict(glyph_map=glyph_map, guidance_warp=torch.cat(
        [places, torch.ones_like(places[..., :1])], dim=3))
    yield ref.compare('pos_table', model.backbone.pos_embed)

    def step() -> Iterator[Any]:
        """What is compared of a step, by its name."""
        pair = list(images.chunk(2))
        result = model.predict(pair, data_samples=samples)
        tokens = torch.cat(result.tokens)
        with torch.no_grad():
            other = model.twin['backbone'](images)
        regions = model.find_regions(result.text[0], samples)
        numbered = regions.numbered()[:count]
        losses = model.loss(pair, samples)
        keys = torch.cat(result.keys)
        head.move_center(keys, torch.tensor(float(len(keys))))
        moved = head.center.clone()
        head.center.copy_(center)
        yield from dict(
            features_student=tokens[::count], features_teacher=other[::count],
            seg_logits=result.text[0][::count],
            clusters=torch.where(numbered == 255, 0, numbered),
            clusters_warped=regions.maps[count:],
            masks_warped=regions.text[count:], index=regions.slots,
            regions_student=torch.cat(model.regions.pool(tokens, regions)),
            regions_teacher=torch.cat(model.regions.pool(other, regions)),
            logits_student=torch.cat(result.instances), logits_teacher=keys,
            loss_seg=losses['loss_seg'], loss_dino=losses['loss_dis'],
            loss=sum(losses.values()), center_new=moved,
            loss_seg_from_logits=F.cross_entropy(
                result.text[0], result.text[1].long())).items()

    once = ('features_student', 'features_teacher', 'seg_logits',
            'loss_seg_from_logits')
    for name, value in step():
        yield ref.compare(name, value.double())
        if name == 'loss':
            value.backward(retain_graph=True)
    yield from compare_norms(ref, model, state, 'student.')
    model.own_regions = 0.
    for name, value in step():
        if name not in once:
            yield ref.compare(f'late.{name}', value.double())


@checks('CCD recognizer', 'meta', 'meta_names', 'images', 'targets',
        'features', 'cross_attention_last')
def check_ccd_recognizer(ref: Reference) -> Iterator[Check]:
    """Run the recognizer: teacher forcing, its loss, greedy decoding."""
    sizes, state = ref.sizes(), ref.weights()
    weights = to_ours(state)
    images = normalised(ref.tensor('images'))
    targets = ref.tensor('targets')
    rows = len(weights['decoder.trg_word_emb.weight'])
    chars = rows - 4
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'characters.txt'
        # The characters do not count, but for those of the strings.
        path.write_text('\n'.join(ENGLISH_90[:chars].ljust(chars, '?')))
        model = build(dict(
            type='EncoderDecoderRecognizer',
            backbone=dict(vit_cfg('TextViT', ref['meta'].tolist(), weights,
                                  images), with_cls_token=False,
                          freeze_pos_embed=False),
            encoder=dict(
                type='LinearEncoder', in_dims=sizes['embed_dims'],
                embed_dims=sizes['decoder_dims'], norm=False,
                hidden_dims=sizes['decoder_dims']),
            decoder=dict(
                type='TextTransformerDecoder',
                dictionary=dict(
                    type='Dictionary', dict_file=str(path), with_end=True,
                    with_padding=True, with_unknown=True),
                embed_dims=sizes['decoder_dims'],
                num_layers=sizes['decoder_layers'],
                num_heads=sizes['decoder_heads'],
                head_dims=sizes['decoder_dims'] // sizes['decoder_heads'],
                feedforward_channels=sizes['decoder_ffn'], early_stop=False,
                max_seq_len=targets.shape[1]),
            data_preprocessor=dict(type='TextRecogDataPreprocessor')),
            weights)
    decoder = model.decoder
    dictionary, end = decoder.dictionary, decoder.end_idx
    # Their classes in the places of ours; padding is none of theirs.
    order = [*range(chars), dictionary.unknown_idx, end]
    in_ours = torch.tensor([*order, decoder.padding_idx])
    encoded = [[end, *dictionary.str2idx(text)][:targets.shape[1] - 1] + [end]
               for text in ref['texts'].tolist()]
    wanted = torch.tensor([
        each + [decoder.padding_idx] * (targets.shape[1] - len(each))
        for each in encoded])
    yield ref.compare('targets', in_ours.argsort()[wanted].double(), 0.)
    tokens = model.extract_feat(images)
    memory = model.encoder(tokens)
    yield ref.compare('features', tokens)
    yield ref.compare('memory', memory)
    # The last input has no target here. Theirs go on after the end, with the
    # symbol that also starts a word.
    inputs = torch.where(wanted == end, decoder.start_idx, wanted)
    following = torch.cat([inputs[:, 1:], wanted[:, :1]], dim=1)
    logits = []
    attention = cross_attention(decoder, memory, lambda: logits.append(
        decoder.teacher_forced(memory, following)[..., order]))
    yield ref.compare('logits_teacher_forced', logits[0])
    yield ref.compare('cross_attention_last', attention[:1])
    loss = F.cross_entropy(logits[0][:, :-1].flatten(0, 1),
                           targets[:, 1:].flatten(), ignore_index=rows - 2)
    yield ref.compare('loss', loss)
    loss.backward()
    yield from compare_norms(ref, model, state)
    with torch.no_grad():
        probs = decoder(tokens, memory)[..., order]
    yield ref.compare('probs_greedy', probs)
    greedy = probs.argmax(-1)
    yield ref.compare('greedy', greedy.double(), 0.)
    strings = [dictionary.idx2str([
        order[one] for one in row[:(row + [chars + 1]).index(chars + 1)]])
        for row in greedy.tolist()]
    yield Check('strings (that differ)', float(
        (np.array(strings) != ref['strings']).sum()), 0.)
