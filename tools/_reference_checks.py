"""The checks of `verify_reference.py`: our modules on published numbers."""
import tempfile
from typing import Any, Dict, Iterator, List, NamedTuple

import numpy as np
import torch
from mmocr.registry import MODELS

from lmim.checkpoints import names_to_ours, to_ours

ABSOLUTE = 1e-5
RELATIVE = 1e-4


class Reference(Dict[str, np.ndarray]):
    """The arrays of a reference file by name."""

    def __missing__(self, name: str) -> np.ndarray:
        raise IncompleteReference(name)


class IncompleteReference(Exception):
    """A reference file lacks something."""


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
    return dict(
        type=kind,
        arch=dict(
            embed_dims=meta[0],
            num_layers=meta[1],
            num_heads=meta[2],
            feedforward_channels=len(
                weights['backbone.layers.0.ffn.layers.0.0.bias'])),
        img_size=images.shape[-2:],
        patch_size=tuple(patch))


def absolute(name: str, ours: Any, theirs: Any) -> Check:
    """Compare to 1e-5 absolute."""
    ours = ours.detach().numpy() if torch.is_tensor(ours) else ours
    error = np.abs(np.asarray(ours, np.float64) - theirs).max()
    return Check(name, float(error), ABSOLUTE)


def check_pretrain(ref: Reference) -> Iterator[Check]:
    """Run the pre-training model: both passes, losses and gradients."""
    state = weights_of(ref)
    weights = to_ours(state)
    meta = ref['meta'].tolist()
    images, guidance_view, noise = (
        torch.from_numpy(ref[key])
        for key in ('imgs', 'guidance_imgs', 'noise'))
    backbone = vit_cfg('MaskedViT', meta, weights, ref['imgs'])
    teacher = vit_cfg('TextViT', meta, weights, ref['imgs'])
    grid = [size // patch for size, patch in zip(backbone['img_size'],
                                                 backbone['patch_size'])]
    model: Any = build(
        dict(
            type='LMIM',
            backbone=dict(
                backbone,
                mask=dict(
                    type='RandomMasking', ratio=float(ref['mask_ratio']))),
            neck=dict(
                type='LinguisticsGuidedDecoder',
                in_dims=meta[0],
                out_dims=meta[0],
                embed_dims=meta[3],
                num_layers=meta[4],
                num_heads=meta[5],
                feedforward_channels=len(
                    weights['neck.decoder_blocks.0.linear1.bias']),
                grid=grid),
            target_generator=dict(
                type='MAERecTargetExtractor', encoder=teacher)), weights)
    visible, mask, ids_restore = model.backbone(images, noise=noise)
    guidance = model.backbone(guidance_view, mask=False)
    losses = model.loss([images, guidance_view], noise=noise)
    total = sum(losses.values())
    outputs = dict(
        mask=mask,
        ids_restore=ids_restore,
        latent_masked=visible,
        latent_guidance=guidance,
        cls_masked=visible[:, 0],
        cls_guidance=guidance[:, 0],
        target=model.target_generator(images),
        pred=model.neck(visible, ids_restore, guidance),
        loss=total,
        **losses)
    for name, value in outputs.items():
        yield absolute(name, value, ref[name])

    total.backward()
    ours = names_to_ours(state)
    parameters = dict(model.named_parameters())
    trainable = {name for name, p in parameters.items() if p.requires_grad}
    given = {key[len('gradnorm.'):] for key in ref
             if key.startswith('gradnorm.')}
    unchecked = trainable - {ours.get(name) for name in given}
    if unchecked:
        raise IncompleteReference('gradnorm.* of ' +
                                  ', '.join(sorted(unchecked)))
    for name in sorted(given):
        norm = parameters[ours[name]].grad.double().norm().item()
        theirs = float(ref[f'gradnorm.{name}'])
        error = abs(norm - theirs) / max(abs(theirs), 1e-8)
        yield Check(f'gradnorm.{name}', error, RELATIVE)


def check_recognizer(ref: Reference) -> Iterator[Check]:
    """Run the recognizer: encoder, teacher forcing and greedy decoding."""
    weights = to_ours(weights_of(ref))
    meta = ref['meta'].tolist()
    num_classes = len(weights['decoder.classifier.bias'])
    with tempfile.NamedTemporaryFile('w', suffix='.txt',
                                     encoding='utf-8') as file:
        # Any characters do: only their number counts. Three classes are the
        # end, padding and unknown tokens.
        first = 0x4E00
        file.write('\n'.join(map(chr, range(first, first + num_classes - 3))))
        file.flush()
        model: Any = build(
            dict(
                type='EncoderDecoderRecognizer',
                backbone=vit_cfg('TextViT', meta, weights, ref['imgs']),
                encoder=dict(
                    type='LMIMEncoder', in_dims=meta[0], embed_dims=meta[3]),
                decoder=dict(
                    type='LMIMDecoder',
                    dictionary=dict(
                        type='Dictionary',
                        dict_file=file.name,
                        with_end=True,
                        with_padding=True,
                        with_unknown=True),
                    embed_dims=meta[3],
                    num_layers=meta[4],
                    num_heads=meta[5],
                    head_dims=meta[6],
                    feedforward_channels=meta[7],
                    max_seq_len=ref['targets'].shape[1],
                    early_stop=False),
                data_preprocessor=dict(type='TextRecogDataPreprocessor')),
            weights)
    with torch.no_grad():
        tokens = model.extract_feat(torch.from_numpy(ref['imgs']))
        memory = model.encoder(tokens)
        logits = model.decoder.teacher_forced(
            memory, torch.from_numpy(ref['targets']))
        probs = model.decoder(tokens, memory).numpy()
    yield absolute('enc', tokens, ref['enc'])
    yield absolute('memory', memory, ref['memory'])
    yield absolute('logits_teacher_forced', logits,
                   ref['logits_teacher_forced'])
    # What follows the end of a word is no output.
    written = until_end(ref['greedy'], model.decoder.end_idx)
    yield absolute('probs_greedy', probs[written],
                   ref['probs_greedy'][written])
    differing = (probs.argmax(-1) != ref['greedy'])[written].sum()
    yield Check('greedy (characters that differ)', float(differing), 0.)


def until_end(classes: np.ndarray, end_idx: int) -> np.ndarray:
    """Mark each word (N, T) up to and with its end."""
    ended = np.cumsum(classes == end_idx, axis=1)
    return (ended - (classes == end_idx)) == 0


def weights_of(ref: Reference) -> Dict[str, torch.Tensor]:
    """The reference model's weights by the authors' names."""
    return {
        key[len('state.'):]: torch.from_numpy(value)
        for key, value in ref.items() if key.startswith('state.')
    }
