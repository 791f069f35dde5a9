"""The method: what reaches what, and what the losses are."""
from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F

from .conftest import LMIM, build


def total(losses: dict) -> torch.Tensor:
    return sum(losses.values())


def test_losses_and_their_sum(lmim, views):
    model = lmim()
    noise = torch.rand(3, 16)
    losses = model.loss(views, noise=noise)
    assert set(losses) == {'loss_recon', 'loss_align'}

    visible, mask, ids_restore = model.backbone(views[0], noise=noise)
    guidance = model.backbone(views[1], mask=False)
    pred = model.neck(visible, ids_restore, guidance)
    features = model.target_generator.encoder(views[0])[:, 1:]
    target = F.layer_norm(features, (16, ))
    recon = torch.stack([
        ((pred[n, i] - target[n, i])**2).mean()
        for n in range(3) for i in range(16) if mask[n, i] == 1
    ]).mean()
    align = ((visible[:, 0] - guidance[:, 0])**2).mean()
    assert losses['loss_recon'].item() == pytest.approx(recon.item(), rel=1e-5)
    assert losses['loss_align'].item() == pytest.approx(align.item(), rel=1e-5)
    parsed, _ = model.parse_losses(losses)
    assert parsed.item() == pytest.approx((recon + align).item(), rel=1e-5)


def test_branches_are_one_option(lmim, views):
    assert set(lmim(branches='guidance').loss(views)) == {'loss_recon'}
    model = lmim(branches='none')
    noise = torch.rand(3, 16)
    alone = model.loss(views, noise=noise)
    assert set(alone) == {'loss_recon'}
    other = model.loss([views[0], views[1] + 1], noise=noise)
    assert torch.equal(alone['loss_recon'], other['loss_recon'])
    # Nothing is left that would get no gradient (it stops DDP).
    total(alone).backward()
    assert all(p.grad is not None for p in model.parameters()
               if p.requires_grad)


@pytest.mark.parametrize('branches', ['guidance', 'both'])
def test_every_trainable_weight_gets_a_gradient(lmim, views, branches):
    model = lmim(branches=branches)
    total(model.loss(views)).backward()
    assert all(p.grad is not None for p in model.parameters()
               if p.requires_grad)


def test_block_orders_compute_in_their_order(lmim):
    cfg = deepcopy(LMIM)
    models = {}
    for order in ('SA-CA-FFN', 'CA-SA-FFN'):
        cfg['neck']['order'] = order
        models[order] = build(cfg).eval()
    first, second = models.values()
    second.load_state_dict(first.state_dict())
    tokens, memory = torch.randn(2, 5, 24), torch.randn(2, 7, 24)
    for order, model in models.items():
        block = model.neck.decoder_blocks[0]
        x = tokens
        for step in order.split('-'):
            if step == 'SA':
                x = block.norm1(x + block.self_attn(x, x, x)[0])
            elif step == 'CA':
                x = block.norm2(x + block.multihead_attn(x, memory, memory)[0])
            else:
                x = block.norm3(x + block.linear2(F.gelu(block.linear1(x))))
        assert torch.allclose(block(tokens, memory), x, atol=1e-5)


def test_wrong_options_are_refused(lmim, views):
    with pytest.raises(ValueError, match='branches must be one of'):
        lmim(branches='one')
    with pytest.raises(ValueError, match='block order'):
        lmim(neck=dict(LMIM['neck'], order='FFN'))
    with pytest.raises(ValueError, match='neck.out_dims=16'):
        lmim(neck=dict(LMIM['neck'], out_dims=8))
    with pytest.raises(ValueError, match='2 views.*GuidanceView'):
        lmim().loss(views[0])


def test_losses_are_those_of_the_prediction(lmim, views):
    """Pictures show what the loss is computed from."""
    model = lmim()
    noise = model.draw_noise(3, seed=5)
    assert torch.equal(noise, model.draw_noise(3, seed=5))
    found = model.predict(views, noise)
    errors = ((found.pred - found.target)**2).mean(-1)
    torch.testing.assert_close(
        (errors * found.mask).sum() / found.mask.sum(),
        model.loss(views, noise=noise)['loss_recon'])
    assert [each.shape[1] for each in found.tokens] == [5, 17]


def test_bf16_autocast_stays_near_fp32(lmim, views):
    model = lmim()
    noise = torch.rand(3, 16)
    exact = model.loss(views, noise=noise)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        rough = model.loss(views, noise=noise)
    for name, value in exact.items():
        assert rough[name].dtype == torch.float32
        assert rough[name].item() == pytest.approx(value.item(), rel=0.05)
