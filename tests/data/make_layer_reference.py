"""Write the project's own reference numbers of layers and of coverage.

After a verification against those of others:
python tests/data/make_layer_reference.py
"""
import sys
from pathlib import Path
from typing import Any, Dict, Tuple

import numpy as np
import torch
from torch import nn

HERE = Path(__file__).resolve().parent

#: Of the encoders; a head of the sequence has 4 channels.
SIZES = dict(embed_dim=16, depth=2, num_heads=2, img_h=8, img_w=32, patch=4,
             wide_w=48, keep=5, seed=0)


def encoder_shapes(kind: str) -> Dict[str, Tuple[int, ...]]:
    """Shapes of RoPE-ViT's weights, by its names."""
    dims, hidden = SIZES['embed_dim'], 24
    shapes: Dict[str, Tuple[int, ...]] = {
        'cls_token': (1, 1, dims), 'patch_embed.proj.bias': (dims, ),
        'patch_embed.proj.weight': (dims, 3, 4, 4), 'norm.weight': (dims, ),
        'norm.bias': (dims, )}
    if kind != 'axial':
        shapes['freqs'] = (2, SIZES['depth'], dims // 2)
    if kind.endswith('_ape'):  # of a square picture
        shapes['pos_embed'] = (1, 9, dims)
    for block in range(SIZES['depth']):
        parts = {'attn.qkv': (3 * dims, dims), 'attn.proj': (dims, dims),
                 'mlp.fc1': (hidden, dims), 'mlp.fc2': (dims, hidden)}
        own = {f'{part}.weight': shape for part, shape in parts.items()}
        own.update({f'{part}.bias': shape[:1]
                    for part, shape in parts.items()})
        own.update({f'norm{number}.{part}': (dims, ) for number in (1, 2)
                    for part in ('weight', 'bias')})
        own.update(gamma_1=(dims, ), gamma_2=(dims, ))
        shapes.update({f'blocks.{block}.{name}': shape
                       for name, shape in own.items()})
    return shapes


def sequence_shapes() -> Dict[str, Tuple[int, ...]]:
    """Shapes of RoFormer's weights, by its names, of one layer."""
    dims, hidden, layer = 8, 12, 'encoder.layer.0'
    parts = {f'{layer}.attention.self.{name}': (dims, dims)
             for name in ('query', 'key', 'value')}
    parts.update({f'{layer}.attention.output.dense': (dims, dims),
                  f'{layer}.intermediate.dense': (hidden, dims),
                  f'{layer}.output.dense': (dims, hidden)})
    shapes = {f'{name}.weight': shape for name, shape in parts.items()}
    shapes.update({f'{name}.bias': shape[:1]
                   for name, shape in parts.items()})
    shapes.update({f'{name}.LayerNorm.{part}': (dims, ) for part in (
        'weight', 'bias') for name in (
        'embeddings', f'{layer}.attention.output', f'{layer}.output')})
    return dict(shapes, **{
        'embeddings.word_embeddings.weight': (10, dims),
        'embeddings.token_type_embeddings.weight': (2, dims),
        'encoder.embed_positions.weight': (6, 4)})


def rope() -> Dict[str, Any]:
    """What the verification itself computes, of weights by chance."""
    sys.path.insert(0, str(HERE.parents[1] / 'tools'))
    from reference_checks.common import Reference
    from reference_checks.rope import check_rope
    from tests.data.make_reference import record
    draw = np.random.RandomState(7)

    def normal(*shape: int, scale: float = 1.) -> np.ndarray:
        return (scale * draw.normal(size=shape)).astype(np.float32)

    ref = Reference(dict(
        meta=np.array(list(SIZES.values())), meta_names=np.array(list(SIZES)),
        images=normal(2, 3, 8, 32), wide=normal(1, 3, 8, 48),
        target=normal(2, 17, 16), noise=draw.rand(2, 16).astype(np.float32)))
    ref['ids_keep'] = ref['noise'].argsort(1)[:, :SIZES['keep']]
    for kind in ('axial', 'mixed', 'mixed_ape'):
        ref.update({f'{kind}.state.{name}': normal(*shape, scale=0.4)
                    for name, shape in encoder_shapes(kind).items()})
        for name in ('cos', 'sin', 'k_rot.0', 'block.0'):
            ref[f'{kind}.{name}'] = np.zeros(0)
    ref.update({f'roformer.state.{name}': normal(*shape, scale=0.4)
                for name, shape in sequence_shapes().items()})
    ref.update({f'roformer.{name}': normal(1, 2, 6, 4) for name in 'qkv'})
    ref['roformer.input_ids'] = draw.randint(10, size=(1, 6))
    for name in ('roformer.hidden.0', 'roformer.hidden.1', *(
            f'{kind}.2x3.{part}' for part in ('cos', 'sin') for kind in (
                'dinov3.separate', 'dinov3.max', 'dinov3.min', 'eva02'))):
        ref[name] = np.zeros((6, 8))
    record(ref, check_rope)
    return dict(ref)


def comer() -> Dict[str, Any]:
    """Numbers of CoMER's decoder: what the verification itself computes."""
    sys.path.insert(0, str(HERE.parents[1] / 'tools'))
    from reference_checks.comer import ARM, check_comer
    from reference_checks.common import Reference
    from tests.data.make_reference import drawn, record
    sizes = dict(d_model=8, nhead=2, num_decoder_layers=2, dim_feedforward=10,
                 dc=3, height=2, width=5, vocab_size=7, pad=0, sos=1, eos=2,
                 max_len=5)
    parts: Dict[str, nn.Module] = {
        'word_embed': nn.Sequential(nn.Embedding(7, 8), nn.LayerNorm(8)),
        'norm': nn.LayerNorm(8), 'proj': nn.Linear(8, 7),
        'model': nn.TransformerDecoder(nn.TransformerDecoderLayer(
            8, 2, dim_feedforward=10), 2)}
    ref = Reference({'state.pos_enc.pe': np.random.RandomState(9).randn(
        8, 8).astype(np.float32)})
    for prefix, module in parts.items():
        ref.update({f'state.{prefix}.{name}': value.numpy()
                    for name, value in drawn(module, 9).items()})
    for kind, maps in (('', 4), ('_cross', 2), ('_self', 2)):
        arm = nn.ModuleDict({
            'conv': nn.Conv2d(maps, 3, 5), 'proj': nn.Conv2d(
                3, 2, 1, bias=False),
            'post_norm': nn.ModuleDict({'bn': nn.BatchNorm1d(2)})})
        ref.update({f'state{kind}.{ARM}{name}': value.abs().numpy()
                    if 'var' in name else value.numpy()
                    for name, value in drawn(arm, 9).items()})
        if kind:
            ref[f'gradnorm{kind}.{ARM}conv.weight'] = np.zeros(())
    mask = np.zeros((2, 2, 5), bool)
    mask[1, :, 3:] = True
    ref.update(
        meta=np.array(list(sizes.values())), meta_names=np.array(list(sizes)),
        memory=np.random.RandomState(8).randn(2, 2, 5, 8).astype(np.float32),
        memory_mask=mask,
        tgt=np.array([[1, 3, 3, 4], [1, 5, 0, 0], [2, 4, 3, 3],
                      [2, 5, 0, 0]]),
        out=np.array([[3, 3, 4, 2], [5, 2, 0, 0], [4, 3, 3, 1],
                      [5, 1, 0, 0]]))
    record(ref, check_comer)
    ref['greedy.tokens'] = ref['greedy.tokens'].astype(int)
    return dict(ref)


def dcn() -> Dict[str, Any]:
    """Numbers of deformable convolution, v1 with groups and v2 without."""
    sys.path.insert(0, str(HERE.parents[1] / 'tools'))
    from reference_checks.common import Reference
    from reference_checks.deform_conv import check_deform_conv
    from tests.data.make_reference import record
    sizes = dict(N=2, C=4, H=5, W=7, out=6, kernel_h=3, kernel_w=2,
                 stride_h=2, stride_w=1, pad_h=1, pad_w=0, dilation_h=1,
                 dilation_w=2, groups=2, deform_groups=2, mask=0, bias=0)
    cases = {'v1': sizes, 'v2': dict(sizes, groups=1, deform_groups=1, mask=1,
                                     bias=1)}
    ref = Reference(dict(meta_names=np.array(list(sizes)),
                         cases=np.array(list(cases))))
    draw = np.random.RandomState(9)
    for case, about in cases.items():
        moved = 6 * about['deform_groups']
        shapes = dict(x=(2, 4, 5, 7), offset=(2, 2 * moved, 3, 5),
                      weight=(6, 4 // about['groups'], 3, 2),
                      grad_output=(2, 6, 3, 5))
        if about['mask']:
            shapes.update(mask=(2, moved, 3, 5), bias=(6, ))
        ref[f'{case}.meta'] = np.array(list(about.values()))
        ref.update({f'{case}.{name}': draw.normal(size=shape).astype(
            np.float32) for name, shape in shapes.items()})
        ref[f'{case}.offset'][:, :4] = draw.randint(-9, 9, (2, 4, 3, 5))
    record(ref, check_deform_conv)
    return dict(ref)


def pixels() -> Dict[str, Any]:
    """Numbers of MAE whose patches are pixels, likewise."""
    sys.path.insert(0, str(HERE.parents[1] / 'tools'))
    from reference_checks.common import Reference
    from reference_checks.pixels import check_pixels, model_of, names_of
    from tests.data.make_reference import drawn, record
    sizes = dict(img_h=4, img_w=8, patch_h=1, patch_w=1, embed_dim=12,
                 depth=1, num_heads=3, decoder_dim=8, decoder_depth=1,
                 decoder_heads=2, batch=2)
    model = model_of(sizes, 0.8)
    weights = drawn(model, 10)
    ref = Reference({f'state.{theirs}': weights[ours].numpy()
                     for ours, theirs in names_of(model).items()})
    draw = np.random.RandomState(10)
    ref.update(
        meta=np.array(list(sizes.values())), meta_names=np.array(list(sizes)),
        images=draw.uniform(-1, 1, (2, 3, 4, 8)).astype(np.float32),
        noise=draw.uniform(size=(2, 32)).astype(np.float32),
        feature_target=draw.normal(size=(2, 33, 12)).astype(np.float32),
        tokens=np.zeros((2, 33, 12), np.float32), perm=draw.permutation(32),
        mask_ratio=np.float64(0.8))
    record(ref, check_pixels)
    return dict(ref)


#: Of HSG's groups, as in the meta of its reference.
HSG_SIZES = dict(
    images=2, dim=8, rows=2, columns=8, fine_clusters=3, coarse_clusters=2,
    max_nodes=20, kmeans_rows=1, kmeans_columns=4, kmeans_iterations=3,
    heads=2, layers=1, ffn=12, knn=2)


def hsg() -> Dict[str, Any]:
    """Numbers of HSG's segments, groups and losses, likewise."""
    sys.path.insert(0, str(HERE.parents[1] / 'tools'))
    from reference_checks.common import Reference
    from reference_checks.hsg import IDLE, check_hsg, head_of, their_names
    from tests.data.make_reference import drawn, record
    draw = np.random.RandomState(17)
    region = np.broadcast_to(np.arange(8) // 3, (4, 2, 8)).copy()
    valid = np.ones((4, 2, 8), bool)
    valid[1, 0, :2] = False
    embedding = draw.normal(size=(4, 8, 2, 8)).astype(np.float32)
    head = head_of(HSG_SIZES)
    torch.manual_seed(17)
    head.init_weights()
    given = torch.from_numpy(embedding).flatten(2).transpose(1, 2)
    segments = head.segment(head.project(given), *map(
        torch.from_numpy, (region, valid)))
    optimizer = torch.optim.Adam(head.parameters(), 1e-2)
    for _ in range(80):  # until not all are of one group
        loss = head.loss(segments, head.group(segments))
        optimizer.zero_grad()
        (loss['loss_modularity'] + loss['loss_collapse']).backward()
        optimizer.step()
    weights = {name: value + 0.05 * noise for (name, value), noise in zip(
        head.state_dict().items(), drawn(head, 17).values())}
    ref = Reference({f'state.{theirs}': weights[ours].numpy() for ours, theirs
                     in their_names(list(weights)).items()})
    ref.update({f'state.{IDLE}1.weight': np.ones((8, 8), np.float32),
                f'gradnorm.{IDLE}1.weight': np.float64('nan')})
    ref.update(
        meta=np.array(list(HSG_SIZES.values())),
        meta_names=np.array(list(HSG_SIZES)), region=region, valid=valid,
        embedding=embedding, node_prototype=np.zeros(1))
    record(ref, check_hsg)
    return dict(ref)


def incontext() -> Dict[str, Any]:
    """Numbers of prompts in front of a decoder, likewise."""
    sys.path.insert(0, str(HERE.parents[1] / 'tools'))
    from reference_checks.common import Reference
    from reference_checks.in_context import check_in_context
    from tests.data.make_reference import record
    sizes = dict(encoder_dim=6, encoder_depth=1, encoder_heads=2,
                 decoder_dim=8, layers=2, heads=2, head_dim=4, ffn=10)
    shapes = {'trg_word_emb.weight': (10, 8),
              'position_enc.position_table': (1, 200, 8),
              'layer_norm.weight': (8, ), 'layer_norm.bias': (8, ),
              'classifier.weight': (9, 8), 'classifier.bias': (9, )}
    for layer in ('layer_stack.0', 'layer_stack.1'):
        for part in ('self_attn', 'enc_attn'):
            shapes.update({f'{layer}.{part}.{name}.weight': (8, 8) for name
                           in ('linear_q', 'linear_k', 'linear_v', 'fc')})
        shapes.update({f'{layer}.norm{number}.{part}': (8, )
                       for number in (1, 2, 3) for part in ('weight', 'bias')})
        shapes.update({f'{layer}.mlp.w_1.weight': (10, 8),
                       f'{layer}.mlp.w_1.bias': (10, ),
                       f'{layer}.mlp.w_2.weight': (8, 10),
                       f'{layer}.mlp.w_2.bias': (8, )})
    draw = np.random.RandomState(11)

    def normal(*shape: int) -> np.ndarray:
        return draw.normal(size=shape).astype(np.float32)

    ref = Reference({f'state.decoder.{name}': 0.6 * normal(*shape)
                     for name, shape in shapes.items()})
    # Neither padding (7) nor the end (6) is written: all places are compared.
    ref['state.decoder.classifier.bias'][6:8] = -9
    ref.update(
        meta=np.array(list(sizes.values())), meta_names=np.array(list(sizes)),
        memory=normal(3, 5, 8), enc=normal(3, 5, 6),
        order=np.array([2, 0, 1]), targets=np.array(
            [[0, 5, 6, 7, 7, 7], [3, 3, 1, 2, 6, 7], [4, 6, 7, 7, 7, 7]]),
        word_0=np.array([0, 5]), word_1=np.array([3, 3, 1, 2]),
        word_2=np.array([4]))
    record(ref, check_in_context)
    for name in ('targets', *(f'{manner}.greedy' for manner in (
            'chained', 'independent', 'plain'))):
        ref[name] = ref[name].astype(int)
    return dict(ref)


def e2str() -> Dict[str, Any]:
    """Likeness of four pictures to one: E2STR's retrieval."""
    draw = np.random.RandomState(12)
    held = draw.normal(size=(4, 6)).astype(np.float32)
    query = draw.normal(size=6).astype(np.float32)
    held /= np.linalg.norm(held, axis=1, keepdims=True)
    query /= np.linalg.norm(query)
    return dict(pool_embedding=held, query_embedding=query,
                similarity=held @ query, order=(-held @ query).argsort())


if __name__ == '__main__':
    for make in (comer, dcn, e2str, hsg, incontext, pixels, rope):
        np.savez_compressed(HERE / f'reference_{make.__name__}.npz', **make())
