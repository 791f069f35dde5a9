"""Write the project's own reference numbers, which keep the match with those
of the published code checked where these are not at hand. Make them anew only
after a verification against them: python tests/data/make_reference.py
"""
import itertools
import re
import sys
from pathlib import Path
from unittest import mock
from typing import Any, Dict, Tuple

import numpy as np
import torch
from mmocr.registry import MODELS

import lmim  # noqa: F401
from lmim.checkpoints import FORMATS
from lmim.models.layers import (CharacterSpanMasking, DSHMMasking, InkMasking,
                                masking_from_noise)
from lmim.models.layers.content_masking import ink_map
from lmim.models.necks.instances import map_instances

HERE = Path(__file__).resolve().parent
ARCH = dict(
    embed_dims=12, num_layers=2, num_heads=3, feedforward_channels=48)
VIT = dict(type='TextViT', arch=ARCH, img_size=(8, 32))
PRETRAIN = dict(
    type='LMIM',
    backbone=dict(VIT, type='MaskedViT'),
    neck=dict(type='LinguisticsGuidedDecoder', in_dims=12, out_dims=12,
              embed_dims=16, num_layers=1, num_heads=2,
              feedforward_channels=64, grid=(2, 8)),
    target_generator=dict(type='MAERecTargetExtractor', encoder=VIT))
RECOGNIZER = dict(
    type='EncoderDecoderRecognizer',
    backbone=VIT,
    encoder=dict(type='LinearEncoder', in_dims=12, embed_dims=16),
    decoder=dict(
        type='TextTransformerDecoder', embed_dims=16, num_layers=2,
        num_heads=2, head_dims=8, feedforward_channels=24, max_seq_len=7,
        early_stop=False,
        dictionary=dict(
            type='Dictionary', with_end=True, with_padding=True,
            with_unknown=True,
            dict_file=str(HERE.parents[1] /
                          'projects/lmim/lmim/dicts/english_94.txt'))),
    data_preprocessor=dict(type='TextRecogDataPreprocessor'))


def theirs(name: str, recognizer: bool) -> str:
    """The authors' name of one of our weights."""
    names = FORMATS['lmim-finetune' if recognizer else 'lmim-pretrain'].names
    return names.theirs(name)


def model_and_state(cfg: dict, seed: int) -> Tuple[Any, Dict[str, Any]]:
    """Build a model with random weights, none of them zero or one."""
    torch.manual_seed(seed)
    model = MODELS.build(dict(cfg, _scope_='mmocr')).eval()
    for name, value in model.state_dict().items():
        if 'pos' not in name:
            value.copy_(torch.randn_like(value) * 0.3)
    recognizer = 'Recognizer' in cfg['type']
    return model, {
        f'state.{theirs(name, recognizer)}': value.numpy().copy()
        for name, value in model.state_dict().items()
    }


def pretrain() -> Dict[str, Any]:
    """Numbers of the pre-training model."""
    model, ref = model_and_state(PRETRAIN, 1)
    images, view = torch.randn(2, 3, 8, 32), torch.randn(2, 3, 8, 32)
    noise = torch.rand(2, 16)
    visible, mask, ids = model.backbone(images, noise=noise)
    guidance = model.backbone(view, mask=False)
    losses = model.loss([images, view], noise=noise)
    losses['loss'] = sum(losses.values())
    losses['loss'].backward()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            norm = parameter.grad.double().norm().item()
            ref[f'gradnorm.{theirs(name, False)}'] = np.float64(norm)
    outputs = dict(
        imgs=images, guidance_imgs=view, noise=noise, ids_restore=ids,
        mask=mask, latent_masked=visible, latent_guidance=guidance,
        cls_masked=visible[:, 0], cls_guidance=guidance[:, 0],
        target=model.target_generator(images),
        pred=model.neck(visible, ids, guidance))
    ref.update({k: v.detach().numpy() for k, v in outputs.items()})
    ref.update({k: np.float64(v.item()) for k, v in losses.items()})
    ref.update(mask_ratio=np.float64(0.8), meta=np.array([12, 2, 3, 16, 1, 2]))
    return ref


@torch.no_grad()
def recognizer() -> Dict[str, Any]:
    """Numbers of the recognizer."""
    model, ref = model_and_state(RECOGNIZER, 2)
    images = torch.randn(2, 3, 8, 32)
    targets = torch.tensor([[5, 9, 94, 95, 95, 95, 95],
                            [40, 2, 2, 93, 11, 94, 95]])
    tokens = model.extract_feat(images)
    memory = model.encoder(tokens)
    probs = model.decoder(tokens, memory)
    outputs = dict(
        imgs=images, targets=targets, target_lens=torch.tensor([3, 6]),
        enc=tokens, memory=memory, probs_greedy=probs,
        greedy=probs.argmax(-1),
        logits_teacher_forced=model.decoder.teacher_forced(memory, targets))
    ref.update({k: v.numpy() for k, v in outputs.items()})
    ref['meta'] = np.array([12, 2, 3, 16, 2, 2, 8, 24])
    return ref


def seqclr() -> Dict[str, Any]:
    """Numbers of SeqCLR from patch tokens on, of every kind of projection."""
    torch.manual_seed(3)
    tokens = [torch.randn(3, 2 * 7, 12).half() for _ in range(2)]
    ref: Dict[str, Any] = {
        f'tokens_view{number}': view.numpy()
        for number, view in enumerate(tokens)
    }
    for kind, mapping in itertools.product(('none', 'linear', 'bilstm'),
                                           ('all', 'window', 'frame')):
        torch.manual_seed(4)
        neck: Any = MODELS.build(dict(
            type='SequenceProjector', in_dims=12, out_dims=8, projection=kind,
            mapping=mapping, num_windows=3, grid=(2, 7), _scope_='mmocr'))
        weights = neck.projection.state_dict()
        ref.update({f'state.{kind}.{name}': value.numpy()
                    for name, value in weights.items()})
        views = [view.float().requires_grad_() for view in tokens]
        found = [neck(torch.cat([torch.ones(3, 1, 12), view], dim=1))
                 for view in views]
        case = f'{kind}.{mapping}.'
        for number, value in enumerate(found):
            ref[f'{case}instances_view{number}'] = value.detach().numpy()
        for name, reduction in (('sum', 'sum'), ('batchmean', 'mean'),
                                ('mean_instances_per_image', 'images')):
            head: Any = MODELS.build(dict(
                type='ContrastiveHead', reduction=reduction,
                _scope_='mmocr'))
            loss = head.loss(*found)
            ref[f'{case}loss_{name}'] = np.float32(loss.item())
            if reduction == 'mean':
                loss.backward(retain_graph=True)
        norms = dict(neck.projection.named_parameters(),
                     tokens_view0=views[0], tokens_view1=views[1])
        ref.update({f'{case}gradnorm.{name}': np.float32(value.grad.norm())
                    for name, value in norms.items()})
    ref['quirk.row_band_instances_view0'] = map_instances(
        tokens[0].float(), 'window', 3).numpy()
    ref.update(temperature=np.float32(0.1), meta=np.array([12, 8, 3, 3, 2, 7]),
               meta_names=np.array(['embed_dims', 'projector_out', 'batch',
                                    'num_windows', 'rows', 'columns']))
    return ref


def masks() -> Dict[str, Any]:
    """Numbers of masks that depend on a picture, of two pictures."""
    draw, grid, device = np.random.default_rng(5), (4, 10), torch.device('cpu')
    ref: Dict[str, Any] = dict(
        images_uint8=draw.integers(0, 256, (2, 3, 16, 40), np.uint8),
        grid=np.array(grid), ratio=np.float32(0.7))
    ref.update({
        'ink.args_share_block_strength': np.array([0.4, 2, 2, 3]),
        'ink.gumbel_u': draw.random((2, 10)), 'ink.v': draw.random((2, 40)),
        'span.args_share_width_char_min_max': np.array([.3, 1.5, .45, 1.2, 8]),
        'span.aspect': np.array([1.5, 4]), 'span.phase': draw.random(2),
        'span.draws': draw.random((2, 11)), 'span.v': draw.random((2, 40)),
        'dshm.block': np.int64(3), 'dshm.v': draw.random((2, 40)),
        'dshm.features': draw.normal(size=(2, 40, 5)).astype(np.float32),
        'dshm.text': draw.random((2, 40)) > 0.5})
    images, aspect, features, text = (torch.from_numpy(ref[name]) for name in (
        'images_uint8', 'span.aspect', 'dshm.features', 'dshm.text'))
    images, features = images.double() / 255, features.double()
    ink = InkMasking(0.7, 0.4, (2, 2), 3.)
    span = CharacterSpanMasking(0.7, 0.3, bounds=(1.2, 8))
    dshm = DSHMMasking(0.7, block=3)
    score = dshm.score(features, text, grid)
    outputs = {
        'ink.map': ink_map(images, grid),
        'ink.key': ink.block_keys(torch.from_numpy(ref['ink.gumbel_u']),
                                  images, grid),
        'span.pitch': span.pitch(aspect, 10),
        'span.cell': span.cells(torch.from_numpy(ref['span.phase']), aspect,
                                10),
        'dshm.ald': dshm.local_score(features, grid),
        'dshm.style': dshm.style_score(features, text),
        'dshm.score': score,
        'dshm.mask': masking_from_noise(
            dshm.grow(score, grid) + 1 - torch.from_numpy(ref['dshm.v']),
            40 - 28).mask}
    context = dict(images=images, aspect=aspect)
    for generator, group, names in (
            (ink, 'ink', ['ink.v', 'ink.gumbel_u']),
            (span, 'span', ['span.v', 'span.phase', 'span.draws'])):
        drawn = torch.from_numpy(np.concatenate(
            [ref[name].reshape(2, -1) for name in names], axis=1))
        outputs.update({
            f'{group}.hard': generator.hard_patches(drawn[:, 40:], grid,
                                                    context),
            f'{group}.noise': generator.place_noise(drawn, grid, context),
            f'{group}.mask': generator(2, grid, device, drawn, context).mask})
    ref.update({name: value.numpy() for name, value in outputs.items()})
    return ref


def timm_name(name: str) -> str:
    """I-JEPA's name of a weight of our ViT or decoder."""
    name = re.sub(r'^ln1\.', 'norm.', name)
    for ours, timm in (('patch_embed.projection', 'patch_embed.proj'),
                       ('layers.0.0', 'fc1'), ('ffn.layers.1', 'ffn.fc2'),
                       ('layers.', 'blocks.'), ('ffn.', 'mlp.'),
                       ('.ln', '.norm')):
        name = name.replace(ours, timm)
    return name


def record(ref: Any, check: Any) -> None:
    """Put what a check computes into a reference, in place of comparing."""
    from reference_checks.common import Check

    def put(self: Any, name: str, ours: Any, *_: Any, **__: Any) -> Check:
        if torch.is_tensor(ours):
            ours = ours.detach().numpy()
        self[name] = np.array(ours)
        return Check(name, 0., 0.)

    with mock.patch.multiple(type(ref), compare=put,
                             __getitem__=lambda self, name: self.get(name)):
        list(check(ref))


def jepa() -> Dict[str, Any]:
    """Numbers of I-JEPA's step: what the verification itself computes."""
    sys.path.insert(0, str(HERE.parents[1] / 'tools'))
    from reference_checks.common import Reference
    from reference_checks.jepa import check_jepa
    torch.manual_seed(5)
    sizes = dict(embed_dims=12, depth=2, num_heads=3, predictor_dims=8,
                 predictor_depth=1, predictor_heads=2, batch=2,
                 top_k_layers=2)
    encoder: Any = MODELS.build(dict(
        VIT, type='MaskedViT', with_cls_token=False, _scope_='mmocr'))
    predictor: Any = MODELS.build(dict(
        type='MAEDecoder', in_dims=12, out_dims=12, embed_dims=8,
        num_layers=1, num_heads=2, grid=(2, 8), _scope_='mmocr'))
    ref = Reference({})
    for part, module in (('encoder', encoder), ('target_encoder', encoder),
                         ('predictor', predictor)):
        for name, value in module.state_dict().items():
            value = torch.randn_like(value) * 0.3
            name = timm_name(name)
            if part == 'predictor':
                name = name.replace('decoder_pred', 'decoder_proj').replace(
                    'decoder_', 'predictor_')
                value = value[:, 1:] if 'pos_embed' in name else value
            if (part, name) != ('target_encoder', 'pos_embed'):
                ref[f'state.{part}.{name}'] = value.numpy()
    ref.update(
        meta=np.array(list(sizes.values())), meta_names=np.array(list(sizes)),
        images_uint8=np.random.RandomState(0).randint(
            256, size=(2, 3, 8, 32), dtype=np.uint8),
        momentum=np.float32(0.99),
        ids_context=torch.rand(2, 16).argsort(1)[:, :5].numpy(),
        ids_targets=torch.rand(3, 2, 16).argsort(2)[..., :4].numpy())
    for name in ('momentum_after.target_encoder.blocks.1.mlp.fc1.weight',
                 'schedule.ijepa_linear_0.99_to_1_5_steps',
                 'schedule.d2v_at_0_50k_200k'):
        ref[name] = np.zeros(0)

    record(ref, check_jepa)
    return dict(ref)


#: The check reads all sizes off them; the grid is that of 32x128 in 4x4.
CCD_SIZES = dict(embed_dims=8, num_layers=6, num_heads=2, mla_channels=6,
                 mlahead_channels=4, seg_channels=5, head_hidden=10,
                 head_bottleneck=6, head_out=16, batch=2)


def drawn(module: Any, seed: int) -> Dict[str, torch.Tensor]:
    """Weights by chance for a module, none of them zero or one."""
    generator = torch.Generator().manual_seed(seed)
    return {name: value if value.dtype == torch.int64 else 0.3 * torch.randn(
        value.shape, generator=generator) + ('var' in name or 'norm' in name)
        for name, value in module.state_dict().items()}


def ccd_encoder(vit: Any, seed: int, prefix: str) -> Dict[str, np.ndarray]:
    """A ViT by CCD's names, with its [CLS] that takes no part."""
    state = {timm_name(name): value
             for name, value in drawn(vit, seed).items()}
    state['cls_token'] = torch.zeros(1, 1, vit.embed_dims)
    return {prefix + name: value.numpy() for name, value in state.items()}


def ccd_state(seed: int) -> Dict[str, np.ndarray]:
    """Student and teacher by the names of CCD's code."""
    size = CCD_SIZES
    cfgs: Dict[str, dict] = dict(
        backbone=dict(type='TextViT', with_cls_token=False, pos_embed='grid',
                      arch=dict(embed_dims=8, num_layers=6, num_heads=2,
                                feedforward_channels=32)),
        segmentation=dict(
            type='GlyphSegmentation', in_dims=8, tap_dims=4, out_dims=5,
            embed_dims=size['mla_channels']),
        head=dict(type='PrototypeProjector', in_dims=8, hidden_dims=10,
                  bottleneck_dims=6, num_prototypes=16))
    parts = {name: MODELS.build(dict(cfg, _scope_='mmocr'))
             for name, cfg in cfgs.items()}
    table = FORMATS['ccd-pretrain'].names
    state: Dict[str, np.ndarray] = {}
    for twin, ours in (('student', ''), ('teacher', 'ema.module.')):
        state.update(ccd_encoder(parts['backbone'], seed, f'{twin}.backbone.'))
        head = drawn(parts['head'], seed)
        state.update({table.theirs(f'{ours}projector.{name}'): value.numpy()
                      for name, value in head.items()})
        seed += 1
    state.update({table.theirs(f'neck.{name}'): value.numpy() for name, value
                  in drawn(parts['segmentation'], seed).items()})
    return state


def ccd() -> Dict[str, Any]:
    """Numbers of CCD's step: what the verification itself computes."""
    sys.path.insert(0, str(HERE.parents[1] / 'tools'))
    from reference_checks.ccd import check_ccd
    from reference_checks.common import Reference
    from lmim.datasets import GlyphMap
    draw = np.random.RandomState(6)
    gray = draw.randint(40, 70, (2, 40, 150)).astype(np.uint8)
    for left, width in ((10, 20), (50, 30), (110, 25)):
        gray[0, 8:32, left:left + width] += 120
    masks = np.stack([GlyphMap()(dict(img=each))['glyph_map'] > 0
                      for each in gray])
    masks[1] = False  # a blank one
    views = draw.randint(256, size=(2, 2, 32, 128, 3)).astype(np.uint8)
    views[:, 0] = views[:, 0] // 4 + 120 * masks[..., None]
    theta = np.tile(np.eye(3, dtype=np.float32), (2, 1, 1))
    theta[0, :2] += draw.uniform(-0.1, 0.1, (2, 3)).astype(np.float32)
    ref = Reference({f'state.{name}': value
                     for name, value in ccd_state(6).items()})
    gray[1] = 90
    ref.update(
        meta=np.array(list(CCD_SIZES.values())),
        meta_names=np.array(list(CCD_SIZES)), views=views, theta=theta,
        gray=gray, masks=masks.astype(np.uint8),
        center=draw.normal(size=(1, 16)).astype(np.float32) / 3)
    record(ref, check_ccd)
    return dict(ref)


def ccd_recognizer() -> Dict[str, Any]:
    """Numbers of CCD's recognizer, of ten characters, likewise."""
    sys.path.insert(0, str(HERE.parents[1] / 'tools'))
    from reference_checks.ccd import check_ccd_recognizer
    from reference_checks.common import Reference
    sizes = dict(embed_dims=8, num_layers=2, num_heads=2, decoder_dims=12,
                 decoder_layers=1, decoder_heads=2, decoder_ffn=10, batch=2)
    vit: Any = MODELS.build(dict(
        type='TextViT', with_cls_token=False, pos_embed='grid', arch=dict(
            embed_dims=8, num_layers=2, num_heads=2, feedforward_channels=32),
        _scope_='mmocr'))
    decoder: Any = MODELS.build(dict(
        RECOGNIZER['decoder'], embed_dims=12, num_layers=1, head_dims=6,
        feedforward_channels=10, _scope_='mmocr'))  # type: ignore[arg-type]
    weights = drawn(decoder, 7)
    for name, rows in (('trg_word_emb.weight', 13), ('classifier.weight', 12),
                       ('classifier.bias', 12)):
        weights[name] = 3 * weights[name][:rows]
    state = {f'decoder.{name}': value.numpy()
             for name, value in weights.items()}
    # It is computed, and of any length.
    state['decoder.position_enc.position_table'] = (
        decoder.position_enc.position_table.numpy())
    linear = {f'fc{number}': torch.nn.Linear(width, 12)
              for number, width in ((1, 8), (2, 12))}
    for name, module in linear.items():
        state.update({f'encoder.{name}.{part}': value.numpy()
                      for part, value in drawn(module, 8).items()})
    state.update(ccd_encoder(vit, 7, 'backbone.'))
    ref = Reference({f'state.{name}': value for name, value in state.items()})
    ref.update(
        meta=np.array(list(sizes.values())), meta_names=np.array(list(sizes)),
        images=np.random.RandomState(7).randint(
            256, size=(2, 32, 128, 3)).astype(np.uint8),
        texts=np.array(['307', '1x99999']), targets=np.array([
            [11, 3, 0, 7, 11, 12, 12, 12], [11, 1, 10, 9, 9, 9, 9, 11]]),
        strings=np.array(['', '']))
    targets = ref['targets']
    record(ref, check_ccd_recognizer)
    ref.update(targets=targets, greedy=ref['greedy'].astype(int))
    ref['strings'] = np.array([
        ''.join('0123456789'[one] for one in row[:(row + [11]).index(11)])
        for row in ref['greedy'].tolist()])
    return dict(ref)


def odm_words(module: Any, seed: int, *names: Any) -> Dict[str, Any]:
    """Weights by chance, by ODM's names, which begin otherwise."""
    state = {}
    for name, value in drawn(module, seed).items():
        ours, theirs = next(pair for pair in names
                            if name.startswith(pair[0]))
        state[f'state.{theirs}{name[len(ours):]}'] = value.numpy()
    return state


def odm_crop() -> Dict[str, Any]:
    """Numbers of ODM's step of word crops."""
    from reference_checks.common import Reference
    from reference_checks.odm import check_odm_crop, text_encoder
    sizes = dict(embed=12, depth=2, heads=3, text_width=8, text_heads=2,
                 text_layers=1, joint=6, decoder_heads=2, decoder_layers=2,
                 batch=3, length=5, ocr_embed=8, ocr_depth=1, ocr_heads=2)
    joint = dict(embed_dims=6, num_heads=2, num_layers=2, _scope_='mmocr')
    ref = Reference({'state.logit_scale': np.float32(2.7)})
    for name, arch in (('encoder', ARCH), ('ocr', dict(
            embed_dims=8, num_layers=1, num_heads=2,
            feedforward_channels=16))):
        vit = MODELS.build(dict(VIT, arch=arch, _scope_='mmocr'))
        ref.update({f'state.{name}.{timm_name(key)}': value.numpy()
                    for key, value in drawn(vit, len(arch)).items()})
    for module, names, seed in (
            (MODELS.build(dict(text_encoder(
                13, 11, 10, out_dims=6, max_len=5, embed_dims=8,
                num_layers=1, num_heads=2), _scope_='mmocr')),
             [('', 'text.')], 2),
            (MODELS.build(dict(joint, type='TextPromptedDecoder',
                               num_patches=16)), [('', 'decoder.')], 3),
            (torch.nn.Linear(6, 16), [('', 'decoder.pred.')], 4),
            (torch.nn.Linear(12, 6, bias=False),
             [('', 'image_projection.')], 5)):
        ref.update(odm_words(module, seed, *names))
    draw = np.random.RandomState(0).randint
    ref.update(
        meta=np.array(list(sizes.values())), meta_names=np.array(list(sizes)),
        images=draw(256, size=(3, 3, 8, 32)).astype(np.uint8),
        labels=np.array([[1, 2, 10, 11, 11], [3, 4, 5, 10, 11],
                         [1, 2, 10, 11, 11]]),
        target_soft=draw(90, size=(3, 8, 32)).astype(np.uint8),
        similarity_masked=np.zeros((3, 3)))
    record(ref, check_odm_crop)
    return dict(ref)


def odm() -> Dict[str, Any]:
    """Numbers of the parts of the published ODM that are used."""
    from reference_checks.common import Reference
    from reference_checks.odm import check_odm, text_encoder
    sizes = dict(embed=6, text_width=8, heads=2, text_layers=1,
                 decoder_layers=1, words=2, chars=5, batch=3)
    encoder = MODELS.build(dict(text_encoder(
        13, 0, 12, out_dims=6, max_len=5, embed_dims=8, num_layers=1,
        num_heads=2), _scope_='mmocr'))
    decoder = MODELS.build(dict(
        type='TextPromptedDecoder', num_patches=4, embed_dims=6,
        num_layers=1, num_heads=2, _scope_='mmocr'))
    ref = Reference({
        **odm_words(encoder, 2, ('positions', 'positional_embedding'),
                    ('blocks.', 'transformer.resblocks.'),
                    ('projection.weight', 'text_projection'), ('', '')),
        **odm_words(decoder, 3, ('blocks.', 'transformer_decoder.resblocks.'),
                    ('ln_final', 'ln_final_decoder'), ('', '')),
        'state.logit_scale': np.float32(2.7)})
    ref['state.text_projection'] = ref['state.text_projection'].T
    draw = np.random.RandomState(1)
    ref.update(
        meta=np.array(list(sizes.values())), meta_names=np.array(list(sizes)),
        images=np.zeros((3, 3, 8, 8), np.float16),
        texts=draw.randint(13, size=(3, 2, 5)),
        target_soft=draw.randint(90, size=(3, 8, 8)).astype(np.uint8),
        logits=draw.randn(3, 1, 8, 8).astype(np.float32),
        **{'visual.x5': draw.randn(5, 3, 6).astype(np.float32),
           'ocr.lpips_terms': draw.rand(5, 3).astype(np.float32)})
    record(ref, check_odm)
    return dict(ref)


if __name__ == '__main__':
    np.savez_compressed(HERE / 'reference_pretrain.npz', **pretrain())
    np.savez_compressed(HERE / 'reference_recognizer.npz', **recognizer())
    np.savez_compressed(HERE / 'reference_seqclr.npz', **seqclr())
    np.savez_compressed(HERE / 'reference_masks.npz', **masks())
    np.savez_compressed(HERE / 'reference_jepa.npz', **jepa())
    np.savez_compressed(HERE / 'reference_ccd.npz', **ccd())
    np.savez_compressed(HERE / 'reference_ccd_recognizer.npz',
                        **ccd_recognizer())
    np.savez_compressed(HERE / 'reference_odm.npz', **odm())
    np.savez_compressed(HERE / 'reference_odm_crop.npz', **odm_crop())
