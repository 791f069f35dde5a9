"""DiG and SSM in plain torch, by the names and formulas of their authors.

Nothing of the project is used: what it computes is held against this. Write
the files anew: python tests/data/plain_methods.py
"""
import math
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

State = Dict[str, Tensor]
GRID = (2, 8)
ROOMS = GRID[0] * GRID[1]
BATCH, WIDTH, HEADS, HIDDEN, WINDOWS = 3, 12, 3, 10, 3
TEMPERATURE, MOMENTUM = 0.2, 0.9


def random_state(shapes: Dict[str, Tuple[int, ...]],
                 scale: float = 0.3) -> State:
    """Weights none of which is zero or one, with gradients."""
    return {name: (torch.randn(shape) * scale).requires_grad_()
            for name, shape in shapes.items()}


def block_shapes(name: str, width: int, bias: Dict[str, int]
                 ) -> Dict[str, Tuple[int, ...]]:
    """Shapes of a block, with what it has of biases of queries to values."""
    shapes = {f'attn.{part}': (size, ) for part, size in bias.items()}
    shapes.update({f'{norm}.{p}': (width, ) for norm in ('norm1', 'norm2')
                   for p in ('weight', 'bias')})
    for part, rows, columns in (('attn.proj', width, width),
                                ('mlp.fc1', 4 * width, width),
                                ('mlp.fc2', width, 4 * width)):
        shapes.update({f'{part}.weight': (rows, columns),
                       f'{part}.bias': (rows, )})
    shapes['attn.qkv.weight'] = (3 * width, width)
    return {f'{name}.{part}': shape for part, shape in shapes.items()}


def mlp_shapes(name: str, *widths: int) -> Dict[str, Tuple[int, ...]]:
    """Shapes of a batch-norm MLP; the last norm has no weights."""
    shapes: Dict[str, Tuple[int, ...]] = {}
    for number, (old, new) in enumerate(zip(widths, widths[1:])):
        shapes[f'{name}.{3 * number}.weight'] = (new, old)
        if number < len(widths) - 2:
            shapes.update({f'{name}.{3 * number + 1}.{p}': (new, )
                           for p in ('weight', 'bias')})
    return shapes


def patches_of(images: Tensor) -> Tensor:
    """(N, 3, H, W) to (N, L, 48): row, column, channel."""
    return torch.stack([
        images[:, :, 4 * row:4 * row + 4, 4 * column:4 * column + 4].permute(
            0, 2, 3, 1).flatten(1)
        for row in range(GRID[0]) for column in range(GRID[1])], dim=1)


def norm(state: State, name: str, tokens: Tensor) -> Tensor:
    """Layer norm of eps 1e-6."""
    return F.layer_norm(tokens, tokens.shape[-1:], state[f'{name}.weight'],
                        state[f'{name}.bias'], 1e-6)


def linear(state: State, name: str, tokens: Tensor) -> Tensor:
    """A linear layer, with a bias if there is one."""
    return F.linear(tokens, state[f'{name}.weight'],
                    state.get(f'{name}.bias'))


def block(state: State, name: str, tokens: Tensor, heads: int) -> Tensor:
    """A pre-norm block of a ViT."""
    bias = state.get(f'{name}.attn.qkv.bias')
    if bias is None:
        query = state[f'{name}.attn.q_bias']
        bias = torch.cat([query, torch.zeros_like(query),
                          state[f'{name}.attn.v_bias']])
    joint = F.linear(norm(state, f'{name}.norm1', tokens),
                     state[f'{name}.attn.qkv.weight'], bias)
    query, key, value = (part.unflatten(2, (heads, -1)).transpose(1, 2)
                         for part in joint.chunk(3, dim=2))
    scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[-1])
    update = (scores.softmax(-1) @ value).transpose(1, 2).flatten(2)
    tokens = tokens + linear(state, f'{name}.attn.proj', update)
    hidden = F.gelu(linear(state, f'{name}.mlp.fc1',
                           norm(state, f'{name}.norm2', tokens)))
    return tokens + linear(state, f'{name}.mlp.fc2', hidden)


def mlp(state: State, name: str, rows: Tensor, layers: int) -> Tensor:
    """Linear, batch norm by the batch's statistics, ReLU between."""
    for number in range(layers):
        rows = linear(state, f'{name}.{3 * number}', rows)
        rows = (rows - rows.mean(0)) / (rows.var(0, unbiased=False) +
                                        1e-5).sqrt()
        if number < layers - 1:
            gain, bias = (state[f'{name}.{3 * number + 1}.{p}']
                          for p in ('weight', 'bias'))
            rows = F.relu(rows * gain + bias)
    return rows


def windows_of(tokens: Tensor) -> Tensor:
    """(N, L, C) to (N, WINDOWS, C): means over all rows, of some columns."""
    columns = tokens.unflatten(1, GRID).mean(1)
    edges = [(math.floor(i * GRID[1] / WINDOWS),
              math.ceil((i + 1) * GRID[1] / WINDOWS)) for i in range(WINDOWS)]
    return torch.stack([columns[:, a:b].mean(1) for a, b in edges], dim=1)


def contrast(queries: Tensor, keys: Tensor) -> Tensor:
    """2 tau InfoNCE of rows, each query with the key of its number."""
    cosine = F.normalize(queries) @ F.normalize(keys).T / TEMPERATURE
    own = cosine.log_softmax(1).diagonal()
    return -2 * TEMPERATURE * own.mean()


def recorded(state: State, loss: Tensor, outputs: Dict[str, Tensor],
             sizes: Dict[str, int]) -> Dict[str, np.ndarray]:
    """What a reference file holds of a step."""
    loss.backward()
    ref = {f'state.{name}': value.detach().numpy()
           for name, value in state.items()}
    ref.update({f'gradnorm.{name}': value.grad.double().norm().numpy()
                for name, value in state.items() if value.grad is not None})
    ref.update({name: value.detach().numpy()
                for name, value in dict(outputs, loss=loss).items()})
    return dict(ref, momentum=np.float32(MOMENTUM),
                temperature=np.float32(TEMPERATURE),
                meta=np.array(list(sizes.values())),
                meta_names=np.array(list(sizes)))


def dig() -> Dict[str, Any]:
    """Numbers of DiG's step, in training mode."""
    torch.manual_seed(6)
    sizes = dict(embed_dims=WIDTH, depth=1, num_heads=HEADS, decoder_dims=8,
                 projector_hidden=HIDDEN, projector_out=6,
                 pix_projector_hidden=9, num_windows=WINDOWS, batch=BATCH,
                 num_masked=11)
    shapes: Dict[str, Tuple[int, ...]] = {}
    for student in (True, False):
        encoder = 'encoder' if student else 'momentum_encoder'
        shapes.update({f'{encoder}.mask_token': (1, 1, WIDTH),
                       f'{encoder}.patch_embed.proj.weight': (WIDTH, 3, 4, 4),
                       f'{encoder}.patch_embed.proj.bias': (WIDTH, )})
        shapes.update(block_shapes(f'{encoder}.blocks.0', WIDTH, dict(
            q_bias=WIDTH, v_bias=WIDTH)))
        shapes.update(mlp_shapes(f'{encoder}_projection_layer' if student else
                                 'momentum_projection_layer', WIDTH, HIDDEN,
                                 HIDDEN, 6))
        shapes.update(mlp_shapes(
            'pix_projector' if student else 'pix_projector_m', WIDTH, 9, 9,
            WIDTH))
    shapes.update(mlp_shapes('predictor', 6, HIDDEN, 6))
    shapes.update({'pix_decoder.0.weight': (8, WIDTH),
                   'pix_decoder.1.weight': (8, 8),
                   'pix_decoder.2.weight': (8, ), 'pix_decoder.2.bias': (8, ),
                   'pix_decoder.4.weight': (48, 8),
                   'pix_decoder.4.bias': (48, )})
    state = random_state(shapes)
    draw = np.random.default_rng(6)
    pixels = {name: draw.integers(0, 256, (BATCH, 3, 4 * GRID[0],
                                           4 * GRID[1]), np.uint8)
              for name in ('images_uint8', 'aug_images_uint8')}
    images, view = (torch.from_numpy(each).float() / 255
                    for each in pixels.values())
    hidden = torch.rand(BATCH, ROOMS).argsort(1) < 11

    twin = {name: value.detach() for name, value in state.items()}
    for name, value in state.items():  # before the keys are computed
        other = name.replace('pix_projector', 'pix_projector_m')
        if name.startswith('encoder'):
            other = 'momentum_' + name.replace('encoder_proj', 'proj')
        if other != name and other in twin:
            twin[other] = MOMENTUM * twin[other] + (1 - MOMENTUM) * (
                value.detach())

    def encode(weights: State, name: str, pictures: Tensor,
               mask: Tensor) -> Tensor:
        kernel = weights[f'{name}.patch_embed.proj.weight']
        tokens = patches_of(2 * pictures - 1) @ kernel.permute(
            0, 2, 3, 1).flatten(1).T + weights[f'{name}.patch_embed.proj.bias']
        tokens = torch.where(mask[..., None], weights[f'{name}.mask_token'],
                             tokens)
        places = torch.zeros(ROOMS, WIDTH)
        for place in range(ROOMS):
            for pair in range(WIDTH // 2):
                angle = place / 10000**(2 * pair / WIDTH)
                places[place, 2 * pair] = math.sin(angle)
                places[place, 2 * pair + 1] = math.cos(angle)
        return block(weights, f'{name}.blocks.0', tokens + places, HEADS)

    def project(weights: State, tokens: List[Tensor], pix: str,
                name: str) -> Tuple[Tensor, Tensor, Tensor]:
        seen = mlp(weights, pix, tokens[0].flatten(0, 1), 3).view_as(tokens[0])
        windows = windows_of(torch.cat([seen, tokens[1]]))
        return seen, windows, mlp(weights, name, windows.flatten(0, 1), 3)

    whole = torch.zeros_like(hidden)
    pairs = ((images, hidden), (view, whole))
    tokens = [encode(state, 'encoder', *pair) for pair in pairs]
    seen, windows, projected = project(state, tokens, 'pix_projector',
                                       'encoder_projection_layer')
    q_masked, q_aug = mlp(state, 'predictor', projected, 2).chunk(2)
    with torch.no_grad():
        k_masked, k_aug = project(
            twin, [encode(twin, 'momentum_encoder', *pair) for pair in pairs],
            'pix_projector_m', 'momentum_projection_layer')[2].chunk(2)
    made = linear(state, 'pix_decoder.1',
                  linear(state, 'pix_decoder.0', tokens[0]))
    pred = linear(state, 'pix_decoder.4', F.gelu(
        norm(state, 'pix_decoder.2', made)))[hidden].view(BATCH, 11, 48)
    target = patches_of(images)[hidden].view(BATCH, 11, 48)
    colours = target.unflatten(2, (16, 3))
    normed = ((colours - colours.mean(2, keepdim=True)) /
              (colours.std(2, keepdim=True) + 1e-6)).flatten(2)
    to_aug, to_masked = contrast(q_masked, k_aug), contrast(q_aug, k_masked)
    outputs = dict(
        encoder_output=torch.cat(tokens), pix_projected=seen, windows=windows,
        q_masked=q_masked, k_aug=k_aug, q_aug=q_aug, k_masked=k_masked,
        loss_contrast_masked_to_aug=to_aug,
        loss_contrast_aug_to_masked=to_masked,
        loss_contrast=to_aug + to_masked, pred=pred, target=target,
        loss_pixel=((pred - target)**2).mean(), target_norm=normed,
        loss_pixel_norm_target=((pred - normed)**2).mean(), mask=hidden)
    outputs.update({
        'momentum_after.encoder.blocks.0.mlp.fc1.weight':
            twin['momentum_encoder.blocks.0.mlp.fc1.weight'],
        'momentum_after.projection.3.weight':
            twin['momentum_projection_layer.3.weight']})
    loss = outputs['loss_pixel'] + 0.1 * outputs['loss_contrast']
    return dict(recorded(state, loss, outputs, sizes), **pixels,
                weight_contrast=np.float32(0.1))


def ssm() -> Dict[str, Any]:
    """Numbers of SSM's step, in training mode."""
    torch.manual_seed(4)
    dims, alpha = 8, 0.25
    sizes = dict(embed_dims=WIDTH, depth=1, num_heads=HEADS, decoder_dims=dims,
                 decoder_depth=1, decoder_heads=2, projector_hidden=HIDDEN,
                 batch=BATCH, num_windows=WINDOWS)
    shapes: Dict[str, Tuple[int, ...]] = dict(
        mlp_shapes('predictor', dims, HIDDEN, dims),
        **{'decoder_pred.weight': (48, dims), 'decoder_pred.bias': (48, )})
    for prefix in ('', 'mm_'):
        shapes.update({
            f'{prefix}prompt_embd.embedding.weight': (4, dims),
            f'{prefix}patch_embed.proj.weight': (WIDTH, 3, 4, 4),
            f'{prefix}patch_embed.proj.bias': (WIDTH, ),
            f'{prefix}decoder_embed.weight': (dims, WIDTH),
            f'{prefix}decoder_embed.bias': (dims, )})
        for name, width in (('', WIDTH), ('decoder_', dims)):
            shapes.update(block_shapes(f'{prefix}{name}blocks.0', width,
                                       {'qkv.bias': 3 * width}))
            shapes.update({f'{prefix}{name}norm.{p}': (width, )
                           for p in ('weight', 'bias')})
        shapes.update(mlp_shapes(f'{prefix}projection_layer', dims, HIDDEN,
                                 HIDDEN, dims))
    state = random_state(shapes, 0.5)
    places = {'': torch.randn(1, ROOMS, WIDTH),
              'decoder_': torch.randn(1, ROOMS, dims)}
    draw = np.random.default_rng(7)
    # Windows must differ by more than rounding, which batch norms enlarge.
    pixels = {name: np.kron(draw.integers(0, 192, (BATCH, 3, *GRID), np.uint8),
                            np.ones((4, 4), np.uint8)) + draw.integers(
                                0, 64, (BATCH, 3, 4 * GRID[0], 4 * GRID[1]),
                                np.uint8)
              for name in ('original_uint8', 'teacher_original_uint8')}
    images, view = (torch.from_numpy(each).float() / 255
                    for each in pixels.values())
    direction = torch.tensor([3, 1, 2])

    def turned(pictures: Tensor) -> Tensor:
        flips = {1: [-1], 2: [-2], 3: [-1, -2]}
        return torch.stack([each.flip(flips[int(number)]) for each, number
                            in zip(pictures, direction)])

    twin = {name[3:]: value.detach() for name, value in state.items()
            if name.startswith('mm_')}
    for name, average in twin.items():  # before the keys are computed
        # The published code moves blocks of the decoder twice.
        for _ in range(1 + name.startswith('decoder_blocks')):
            average = MOMENTUM * average + (1 - MOMENTUM) * (
                state[name].detach())
        twin[name] = average

    def encode(weights: State, pictures: Tensor) -> Tensor:
        kernel = weights['patch_embed.proj.weight'].permute(0, 2, 3, 1)
        tokens = patches_of((pictures + turned(pictures)) / 2) @ (
            kernel.flatten(1).T) + weights['patch_embed.proj.bias']
        tokens = block(weights, 'blocks.0', tokens + places[''], HEADS)
        return norm(weights, 'norm', tokens)

    def decode(weights: State, latent: Tensor, prompt: Tensor) -> Tensor:
        tokens = linear(weights, 'decoder_embed', latent) + places['decoder_']
        asked = weights['prompt_embd.embedding.weight'][prompt]
        tokens = torch.cat([asked[:, None] * math.sqrt(dims), tokens], dim=1)
        tokens = block(weights, 'decoder_blocks.0', tokens, 2)
        return norm(weights, 'decoder_norm', tokens)[:, 1:]

    latent, outputs = encode(state, images), {}
    with torch.no_grad():
        other = encode(twin, view)
    for sign, prompt, wanted in (
            ('pos', torch.zeros_like(direction), images),
            ('neg', direction, turned(images))):
        decoded = decode(state, latent, prompt)
        pred = linear(state, 'decoder_pred', decoded)
        query = mlp(state, 'predictor', mlp(
            state, 'projection_layer', windows_of(decoded).flatten(0, 1), 3),
            2)
        with torch.no_grad():
            key = mlp(twin, 'projection_layer', windows_of(
                decode(twin, other, prompt)).flatten(0, 1), 3)
        own, mean = (F.layer_norm(each, (dims, )) for each in (query, key))
        distance = ((own - mean)**2).sum(1).mean() / dims
        common = mean.T @ mean / len(mean)
        outputs.update({
            f'decoded_{sign}': decoded, f'pred_{sign}': pred,
            f'q_{sign}': query, f'k_{sign}': key,
            f'loss_pixel_{sign}': ((pred - patches_of(wanted))**2).mean(),
            f'loss_contrast_{sign}': contrast(query, key),
            f'loss_dense_mse_{sign}': distance,
            f'loss_dense_{sign}': distance + 0.02 / dims * torch.stack(
                [row @ common @ row for row in own]).mean()})
    loss = sum(weight * outputs[f'loss_{part}_{sign}']
               for part, weight in (('pixel', 1.), ('contrast', alpha))
               for sign in ('pos', 'neg'))
    outputs.update({f'momentum_after.{name}': twin[name] for name in (
        'blocks.0.mlp.fc1.weight', 'decoder_blocks.0.attn.proj.weight')})
    outputs.update({f'state.{name}pos_embed': table
                    for name, table in places.items()})
    return dict(recorded(state, loss, dict(outputs, latent=latent), sizes),
                **pixels, direction=direction.numpy(),
                feature_weight=np.float32(alpha))


if __name__ == '__main__':
    for method in (dig, ssm):
        np.savez_compressed(
            Path(__file__).with_name(f'reference_{method.__name__}.npz'),
            **method())
