"""Compare this implementation with numbers computed by the published code.

A reference file (``.npz``) holds a small model of the published code: its
weights (``state.*``, the authors' names), its sizes (``meta``), inputs and
what came out of them. Files of LMIM's pre-training, of its recognizer, of
SeqCLR, of I-JEPA (with data2vec 2.0's targets) and of masks are known, of any
sizes. The weights are carried over by the project's converter, the project's
modules run, and the largest error of each output is printed. A file with an
output that is not checked is refused; of masks by other methods, which this
project does not have, it is said.
"""
import argparse
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import (Any, Callable, Dict, Iterator, List, Mapping, NamedTuple,
                    Optional, Sequence, Tuple)

import numpy as np
import torch
import torch.nn.functional as F

import _import_lmim  # noqa: F401  (finds lmim without an installation)
import lmim  # noqa: F401  (before anything of MMOCR)
from mmocr.registry import MODELS

from lmim.checkpoints import names_to_ours, to_ours
from lmim.models.backbones import MaskedViT
from lmim.models.layers import (CharacterSpanMasking, DSHMMasking, InkMasking,
                                masking_from_noise)
from lmim.models.layers.content_masking import ink_map
from lmim.models.necks.instances import map_instances

ABSOLUTE = 1e-5
RELATIVE = 1e-4
#: Of SeqCLR, whose losses are logarithms of sums of exponentials.
LOSS = 5e-5
#: Of features whose channels are each divided by their spread, twice.
FEATURES = 3e-5
#: Of schedules, in fp64.
EXACT = 1e-10


class IncompleteReference(Exception):
    """A reference file lacks something."""


class Reference(Dict[str, np.ndarray]):
    """The arrays of a reference file by name; what was read is known."""

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        super().__init__(arrays)
        self.unread = set(self)

    def __getitem__(self, name: str) -> np.ndarray:
        self.unread.discard(name)
        if name not in self:
            raise IncompleteReference(name)
        return super().__getitem__(name)

    def tensor(self, name: str) -> torch.Tensor:
        """An array as a float32 tensor."""
        return torch.from_numpy(self[name]).float()

    def weights(self, prefix: str = 'state.') -> Dict[str, torch.Tensor]:
        """The weights below a prefix by the authors' names."""
        return {name[len(prefix):]: torch.from_numpy(self[name])
                for name in sorted(self) if name.startswith(prefix)}


class Check(NamedTuple):
    """One output: its largest error and the error that is allowed."""
    name: str
    error: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the error is small enough; NaN is not."""
        return self.error <= self.tolerance


def build(cfg: dict, weights: Dict[str, torch.Tensor]) -> torch.nn.Module:
    """Build a model and load all of its weights, none left over."""
    model = MODELS.build(dict(cfg, _scope_='mmocr'))
    model.load_state_dict(weights)
    return model.eval()


def vit_cfg(kind: str, meta: List[int], weights: Dict[str, torch.Tensor],
            images: np.ndarray) -> dict:
    """Config of an encoder of the reference's size."""
    patch = weights['backbone.patch_embed.projection.weight'].shape[-2:]
    hidden = len(weights['backbone.layers.0.ffn.layers.0.0.bias'])
    return dict(
        type=kind, img_size=images.shape[-2:], patch_size=tuple(patch),
        arch=dict(embed_dims=meta[0], num_layers=meta[1], num_heads=meta[2],
                  feedforward_channels=hidden))


def compare(name: str, ours: Any, theirs: np.ndarray,
            tolerance: float = ABSOLUTE, scaled: bool = False) -> Check:
    """The largest difference, on request as a part of the largest value."""
    ours = ours.detach().numpy() if torch.is_tensor(ours) else ours
    ours = np.asarray(ours, np.float64)
    if ours.shape != theirs.shape:
        return Check(f'{name} {theirs.shape}, ours {ours.shape}', np.inf,
                     tolerance)
    error = np.abs(ours - theirs).max()
    if scaled:
        error /= max(np.abs(theirs).max(), 1e-8)
    return Check(name, float(error), tolerance)


def compare_norms(ref: Reference, prefix: str,
                  gradients: Dict[str, Optional[torch.Tensor]]
                  ) -> Iterator[Check]:
    """Compare the norms of gradients by the names in the file, all of them."""
    for name, gradient in sorted(gradients.items()):
        norm = 0. if gradient is None else gradient.double().norm().item()
        yield compare(prefix + name, norm, ref[prefix + name], RELATIVE,
                      scaled=True)


def check_pretrain(ref: Reference) -> Iterator[Check]:
    """Run the pre-training model: both passes, losses and gradients."""
    state = ref.weights()
    weights = to_ours(state)
    meta = ref['meta'].tolist()
    images, guidance_view, noise = map(
        ref.tensor, ('imgs', 'guidance_imgs', 'noise'))
    backbone = vit_cfg('MaskedViT', meta, weights, ref['imgs'])
    teacher = vit_cfg('TextViT', meta, weights, ref['imgs'])
    grid = [size // patch for size, patch in zip(backbone['img_size'],
                                                 backbone['patch_size'])]
    mask = dict(type='RandomMasking', ratio=float(ref['mask_ratio']))
    hidden = len(weights['neck.decoder_blocks.0.linear1.bias'])
    model: Any = build(dict(
        type='LMIM', backbone=dict(backbone, mask=mask),
        neck=dict(type='LinguisticsGuidedDecoder', in_dims=meta[0],
                  out_dims=meta[0], embed_dims=meta[3], num_layers=meta[4],
                  num_heads=meta[5], feedforward_channels=hidden, grid=grid),
        target_generator=dict(type='MAERecTargetExtractor', encoder=teacher)),
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
        yield compare(name, value, ref[name])

    total.backward()
    theirs = {ours: name for name, ours in names_to_ours(state).items()}
    yield from compare_norms(ref, 'gradnorm.', {
        theirs[name]: parameter.grad
        for name, parameter in model.named_parameters()
        if parameter.requires_grad})


def check_recognizer(ref: Reference) -> Iterator[Check]:
    """Run the recognizer: encoder, teacher forcing and greedy decoding."""
    weights = to_ours(ref.weights())
    meta = ref['meta'].tolist()
    num_classes = len(weights['decoder.classifier.bias'])
    with tempfile.NamedTemporaryFile('w', suffix='.txt',
                                     encoding='utf-8') as file:
        # Any characters do: only their number counts. Three classes are the
        # end, padding and unknown tokens.
        first = 0x4E00
        file.write('\n'.join(map(chr, range(first, first + num_classes - 3))))
        file.flush()
        dictionary = dict(type='Dictionary', dict_file=file.name,
                          with_end=True, with_padding=True, with_unknown=True)
        model: Any = build(dict(
            type='EncoderDecoderRecognizer',
            backbone=vit_cfg('TextViT', meta, weights, ref['imgs']),
            encoder=dict(type='LinearEncoder', in_dims=meta[0],
                         embed_dims=meta[3]),
            decoder=dict(
                type='TextTransformerDecoder', dictionary=dictionary,
                embed_dims=meta[3],
                num_layers=meta[4], num_heads=meta[5], head_dims=meta[6],
                feedforward_channels=meta[7], early_stop=False,
                max_seq_len=ref['targets'].shape[1]),
            data_preprocessor=dict(type='TextRecogDataPreprocessor')), weights)
    with torch.no_grad():
        tokens = model.extract_feat(torch.from_numpy(ref['imgs']))
        memory = model.encoder(tokens)
        logits = model.decoder.teacher_forced(
            memory, torch.from_numpy(ref['targets']))
        probs = model.decoder(tokens, memory).numpy()
    yield compare('enc', tokens, ref['enc'])
    yield compare('memory', memory, ref['memory'])
    yield compare('logits_teacher_forced', logits,
                  ref['logits_teacher_forced'])
    # What follows the end of a word is no output.
    written = until_end(ref['greedy'], model.decoder.end_idx)
    yield compare('probs_greedy', probs[written],
                  ref['probs_greedy'][written])
    differing = (probs.argmax(-1) != ref['greedy'])[written].sum()
    yield Check('greedy (characters that differ)', float(differing), 0.)


def until_end(classes: np.ndarray, end_idx: int) -> np.ndarray:
    """Mark each word (N, T) up to and with its end."""
    ended = np.cumsum(classes == end_idx, axis=1)
    return (ended - (classes == end_idx)) == 0


def check_seqclr(ref: Reference) -> Iterator[Check]:
    """Run SeqCLR from patch tokens on: every projection and mapping."""
    sizes = dict(zip(map(str, ref['meta_names']), ref['meta'].tolist()))
    channels, grid = sizes['embed_dims'], (sizes['rows'], sizes['columns'])
    for kind in ('none', 'linear', 'bilstm'):
        weights = ref.weights(f'state.{kind}.')
        hidden = weights.get('rnn.weight_hh_l0', torch.empty(1, 1)).shape[1]
        for mapping in ('all', 'window', 'frame'):
            case = f'{kind}.{mapping}.'
            views = [ref.tensor(f'tokens_view{i}') for i in (0, 1)]
            if any(view.shape != (sizes['batch'], grid[0] * grid[1], channels)
                   for view in views):
                raise RuntimeError('tokens_view*')
            neck: Any = MODELS.build(dict(
                type='SequenceProjector', in_dims=channels,
                out_dims=sizes['projector_out'], hidden_dims=hidden,
                projection=kind, mapping=mapping,
                num_windows=sizes['num_windows'], grid=grid, _scope_='mmocr'))
            neck.projection.load_state_dict(weights)
            instances = []
            for number, view in enumerate(views):
                # [CLS], which SeqCLR does not use.
                whole = F.pad(view.requires_grad_(), (0, 0, 1, 0))
                instances.append(neck(whole))
                name = f'{case}instances_view{number}'
                yield compare(name, instances[-1], ref[name], LOSS, True)
            for name, reduction in (
                    ('loss_sum', 'sum'), ('loss_batchmean', 'mean'),
                    ('loss_mean_instances_per_image', 'images')):
                head: Any = MODELS.build(dict(
                    type='ContrastiveHead', reduction=reduction,
                    temperature=float(ref['temperature']), _scope_='mmocr'))
                loss = head.loss(*instances)
                # Sums of hundreds have as many digits as their terms.
                yield compare(case + name, loss, ref[case + name], LOSS,
                              scaled=reduction != 'mean')
                if reduction == 'mean':
                    loss.backward(retain_graph=True)
            gradients = {name: value.grad
                         for name, value in neck.projection.named_parameters()}
            gradients.update({f'tokens_view{number}': view.grad
                              for number, view in enumerate(views)})
            yield from compare_norms(ref, f'{case}gradnorm.', gradients)
    # What the authors' later config computes: windows over all places, row
    # by row, are bands of rows.
    name = 'quirk.row_band_instances_view0'
    bands = map_instances(ref.tensor('tokens_view0'), 'window',
                          sizes['num_windows'])
    yield compare(name, bands, ref[name], LOSS, True)


def check_masks(ref: Reference) -> Iterator[Check]:
    """Run the masks that depend on a picture, by the draws in the file."""
    images = torch.from_numpy(ref['images_uint8']).double() / 255
    grid = tuple(ref['grid'].tolist())
    ratio = round(float(ref['ratio']), 6)  # of float32
    total = grid[0] * grid[1]

    def draws(*names: str) -> torch.Tensor:
        return torch.cat([torch.from_numpy(ref[name]).reshape(len(images), -1)
                          for name in names], dim=1)

    def masks(generator: Any, group: str, drawn: torch.Tensor,
              **context: torch.Tensor) -> Iterator[Check]:
        noise = generator.place_noise(drawn, grid, context)
        yield compare(f'{group}.hard', generator.hard_patches(
            drawn[:, total:], grid, context), ref[f'{group}.hard'], 0.)
        yield compare(f'{group}.noise', noise, ref[f'{group}.noise'])
        yield compare(f'{group}.mask', generator(
            len(images), grid, images.device, drawn, context).mask,
            ref[f'{group}.mask'], 0.)

    share, *block, strength = ref['ink.args_share_block_strength'].tolist()
    ink = InkMasking(ratio, share, (int(block[0]), int(block[1])), strength)
    yield compare('ink.map', ink_map(images, grid), ref['ink.map'])
    yield compare('ink.key', ink.block_keys(draws('ink.gumbel_u'), images,
                                            grid), ref['ink.key'])
    yield from masks(ink, 'ink', draws('ink.v', 'ink.gumbel_u'),
                     images=images)

    share, width, char_aspect, *bounds = ref[
        'span.args_share_width_char_min_max'].tolist()
    span = CharacterSpanMasking(ratio, share, width, char_aspect,
                                (bounds[0], bounds[1]))
    aspect = torch.from_numpy(ref['span.aspect'])
    yield compare('span.pitch', span.pitch(aspect, grid[1]),
                  ref['span.pitch'])
    yield compare('span.cell', span.cells(
        torch.from_numpy(ref['span.phase']), aspect, grid[1]),
        ref['span.cell'], 0.)
    yield from masks(span, 'span', draws('span.v', 'span.phase',
                                         'span.draws'), aspect=aspect)

    dshm = DSHMMasking(ratio, block=int(ref['dshm.block']))
    features = torch.from_numpy(ref['dshm.features']).double()
    text = torch.from_numpy(ref['dshm.text'])
    score = dshm.score(features, text, grid)
    yield compare('dshm.ald', dshm.local_score(features, grid),
                  ref['dshm.ald'], scaled=True)
    yield compare('dshm.style', dshm.style_score(features, text),
                  ref['dshm.style'], scaled=True)
    yield compare('dshm.score', score, ref['dshm.score'], scaled=True)
    # Here the smallest draws are hidden, and what is hidden is rounded down,
    # not what is kept.
    noise = dshm.grow(score, grid) + 1 - draws('dshm.v')
    yield compare('dshm.mask', masking_from_noise(
        noise, total - int(ratio * total + 1e-6)).mask, ref['dshm.mask'], 0.)


@MODELS.register_module()
class JepaViT(MaskedViT):
    """I-JEPA's encoder: the ViT on patches alone, without [CLS]."""

    def embed(self, images: torch.Tensor) -> torch.Tensor:
        """Turn images into patches with positions."""
        return self.patch_embed(images)[0] + self.pos_embed

    def encode(self, patches: torch.Tensor) -> torch.Tensor:
        """Run the transformer."""
        for layer in self.layers:
            patches = layer(patches)
        return self.norm1(patches)


def check_jepa(ref: Reference) -> Iterator[Check]:
    """Run I-JEPA's step and data2vec's targets, all outputs recomputed.

    The predictor is run by the parts of a :class:`MAEDecoder`, whose own
    forward pass has all patches in place of the context and one block.
    """
    sizes = dict(zip(map(str, ref['meta_names']), ref['meta'].tolist()))
    images = ref.tensor('images_uint8') / 127.5 - 1
    theirs, state = {}, {}
    for part in ('encoder', 'predictor'):
        for name, value in ref.weights(f'state.{part}.').items():
            # As MAE calls them, whose decoder the predictor resembles.
            mae = re.sub('^predictor_', 'decoder_', name).replace(
                'decoder_proj', 'decoder_pred')
            theirs[mae], state[mae] = f'{part}.{name}', value
    ours = names_to_ours(state)
    weights = {ours[name]: value for name, value in state.items()}
    cfg = dict(vit_cfg('JepaViT', ref['meta'].tolist(), weights,
                       ref['images_uint8']), with_cls_token=False)
    encoder: Any = build(cfg, _below(weights, 'backbone.'))
    weights['neck.decoder_pos_embed'] = F.pad(
        weights['neck.decoder_pos_embed'], (0, 0, 1, 0))
    neck: Any = build(dict(
        type='MAEDecoder', in_dims=sizes['embed_dims'],
        out_dims=sizes['embed_dims'], embed_dims=sizes['predictor_dims'],
        num_layers=sizes['predictor_depth'],
        num_heads=sizes['predictor_heads'], grid=encoder.grid),
        _below(weights, 'neck.'))
    context_ids, block_ids = map(torch.from_numpy, (
        ref['ids_context'], ref['ids_targets']))
    if not len(images) == len(context_ids) == sizes['batch']:
        raise RuntimeError('batch')

    teacher = dict(ref.weights('state.target_encoder.'),
                   pos_embed=state['pos_embed'])
    teacher = _below({ours[name]: value for name, value in teacher.items()},
                     'backbone.')

    def target_of(**options: Any) -> Any:
        target: Any = MODELS.build(dict(
            type='EMATarget', momentum=1 - float(ref['momentum']), **options))
        target.follow(encoder)
        target.encoder.load_state_dict(teacher)
        return target

    target = target_of()
    features = target(images)
    yield compare('target_full', features, ref['target_full'])
    wanted = torch.cat([_taken(features, ids) for ids in block_ids])
    yield compare('target', wanted, ref['target'])
    context = encoder.encode(_taken(encoder.embed(images), context_ids))
    yield compare('context', context, ref['context'])
    pred = torch.cat([_predicted(neck, context, context_ids, ids)
                      for ids in block_ids])
    yield compare('pred', pred, ref['pred'])
    for name, loss in (
            ('loss_mse', {}),
            ('loss_smooth_l1', dict(
                loss=dict(type='SmoothL1ReconstructionLoss')))):
        head: Any = MODELS.build(dict(type='ReconstructionHead', **loss))
        value = head.loss(pred, wanted, torch.ones(pred.shape[:2]))
        yield compare(name, value, ref[name])
    value.backward()
    parts = {'backbone.': encoder, 'neck.': neck}
    named = {prefix + name: parameter for prefix, part in parts.items()
             for name, parameter in part.named_parameters()}
    yield from compare_norms(ref, 'gradnorm.', {
        theirs[name]: named[own].grad for name, own in ours.items()
        if named[own].requires_grad})

    for outputs in ('ffn', 'block'):
        target = target_of(layers=sizes['top_k_layers'], outputs=outputs)
        features = target(images)
        name = f'd2v.target_{outputs}'
        yield compare(name, features, ref[name], FEATURES)
        if outputs == 'ffn':
            yield compare('d2v.cls_target', features.mean(1),
                          ref['d2v.cls_target'])
            yield compare('d2v.last_ffn', target.block_outputs(images)[-1],
                          ref['d2v.last_ffn'])

    # After a step that was not taken: the average alone has moved.
    target.move_average(0, 1)
    prefix = 'momentum_after.target_encoder.'
    moved = target.encoder.state_dict()
    for name in _all(ref, prefix):
        own = ours[name[len(prefix):]][len('backbone.'):]
        yield compare(name, moved[own], ref[name])
    for name in _all(ref, 'schedule.ijepa_linear_'):
        first, last, total = re.findall(r'_([\d.]+)', name)
        linear = target_of_schedule(1 - float(first), 1 - float(last))
        yield compare(name, np.array([
            1 - linear.momentum_at(step, int(total))
            for step in range(int(total) + 1)]), ref[name], EXACT)
    for name in _all(ref, 'schedule.d2v_at_'):
        steps = [int(step.replace('k', '000'))
                 for step in re.findall(r'_(\d+k?)', name)]
        linear = target_of_schedule(2e-4, 1e-5, 100_000)
        yield compare(name, np.array([
            1 - linear.momentum_at(step, max(steps)) for step in steps]),
            ref[name], EXACT)


def target_of_schedule(first: float, last: float,
                       steps: Optional[int] = None) -> Any:
    """A target of which only the momentum is asked."""
    return MODELS.build(dict(type='EMATarget', momentum=first,
                             end_momentum=last, anneal_steps=steps))


def _all(ref: Reference, prefix: str) -> List[str]:
    """The outputs below a prefix, of which there is one at least."""
    names = sorted(name for name in ref if name.startswith(prefix))
    if not names:
        raise IncompleteReference(f'{prefix}*')
    return names


def _below(weights: Dict[str, torch.Tensor],
           prefix: str) -> Dict[str, torch.Tensor]:
    """The weights of a part, by its own names."""
    return {name[len(prefix):]: value for name, value in weights.items()
            if name.startswith(prefix)}


def _taken(tokens: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """The tokens (N, K, C) in places (N, K) of (N, L, C)."""
    return tokens.gather(1, ids[..., None].expand(-1, -1, tokens.shape[-1]))


def _predicted(neck: Any, context: torch.Tensor, context_ids: torch.Tensor,
               ids: torch.Tensor) -> torch.Tensor:
    """Features in some places, predicted from the context."""
    places = neck.decoder_pos_embed[:, 1:].expand(len(context), -1, -1)
    tokens = torch.cat([
        neck.decoder_embed(context) + _taken(places, context_ids),
        neck.mask_token + _taken(places, ids)], dim=1)
    for block in neck.decoder_blocks:
        tokens = block(tokens)
    # Without the first: `predict` drops [CLS], here one of the context.
    return neck.predict(tokens)[:, context.shape[1] - 1:]


class Kind(NamedTuple):
    """A kind of reference file.

    ``left`` says how names of what this project does not compute begin.
    """
    name: str
    inputs: Sequence[str]
    check: Callable[[Reference], Iterator[Check]]
    left: Tuple[str, ...] = ()


KINDS = [
    Kind('pre-training', ('meta', 'guidance_imgs', 'noise', 'mask_ratio'),
         check_pretrain),
    Kind('recognizer', ('meta', 'imgs', 'targets', 'enc'), check_recognizer),
    Kind('SeqCLR', ('meta', 'meta_names', 'tokens_view0', 'temperature'),
         check_seqclr),
    Kind('masks', ('grid', 'ink.map', 'span.cell', 'dshm.features'),
         check_masks, ('attmask.', 'hpm.')),
    Kind('I-JEPA', ('meta', 'meta_names', 'ids_context', 'ids_targets'),
         check_jepa),
]
#: What describes the outputs and is no output.
DESCRIPTIVE = {'meta_names', 'target_lens'}


def verify(path: Path) -> Tuple[str, List[Check], List[str]]:
    """Recognise a reference file by its arrays and run its checks.

    Returns:
        Tuple: The kind of file, its checks, and the groups of arrays in it
        that this project does not compute.

    Raises:
        SystemExit: If the file is none, lacks a part, or has one too many.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            ref = Reference(file)
    except (OSError, ValueError) as error:
        sys.exit(f'{path} is no readable .npz file: {error}')
    kind = next((kind for kind in KINDS if ref.keys() >= set(kind.inputs)),
                None)
    if kind is None:
        wanted = '; '.join(f'{kind.name}: {", ".join(kind.inputs)}'
                           for kind in KINDS)
        sys.exit(f'{path} is no reference file that is known. It needs the '
                 f'arrays of one of these, and more: {wanted}')
    try:
        checks = list(kind.check(ref))
    except IncompleteReference as error:
        sys.exit(f'{path} lacks {error}, which a {kind.name} reference has')
    except (KeyError, RuntimeError, ValueError) as error:
        sys.exit(f'{path}: weights, inputs and `meta` of this {kind.name} '
                 f'reference do not fit one another: {error!r}')
    left = {name for name in ref.unread if name.startswith(kind.left)}
    unread = sorted(ref.unread - DESCRIPTIVE - left)
    if unread:
        sys.exit(f'{path} has more than a {kind.name} reference, and that is '
                 f'not checked: {", ".join(unread)}')
    return kind.name, checks, sorted({f'{name.partition(".")[0]}.*'
                                      for name in left})


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Print the errors; return 1 where one is too large, else 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('file', type=Path, help='reference numbers, .npz')
    parser.add_argument('--json', action='store_true',
                        help='print JSON instead of a table')
    args = parser.parse_args(argv)
    kind, checks, left = verify(args.file)
    passed = all(check.passed for check in checks)
    if args.json:
        rows = [dict(check._asdict(), passed=check.passed) for check in checks]
        print(json.dumps(dict(file=str(args.file), kind=kind, passed=passed,
                              not_computed=left, checks=rows), indent=2))
    else:
        for check in checks:
            mark = 'ok  ' if check.passed else 'MISS'
            print(f'{mark} {check.error:9.2e} (allowed {check.tolerance:.0e})'
                  f'  {check.name}')
        missed = sum(not check.passed for check in checks)
        print(f'{kind}: {len(checks)} outputs compared, {missed} missed')
        if left:
            print(f'not computed here, so not compared: {", ".join(left)}')
    return int(not passed)


if __name__ == '__main__':
    sys.exit(main())
