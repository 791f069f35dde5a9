"""Write the project's own reference numbers of rotary positions, after a
verification against those of others: python tests/data/make_rope_reference.py
"""
from pathlib import Path
from typing import Any, Dict, Tuple

import numpy as np

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
    import sys
    sys.path.insert(0, str(Path(__file__).parents[2] / 'tools'))
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


if __name__ == '__main__':
    np.savez_compressed(Path(__file__).with_name('reference_rope.npz'),
                        **rope())
