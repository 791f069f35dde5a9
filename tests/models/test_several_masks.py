"""Several masks of an image for one pass of teacher and guidance."""
import pytest
import torch

from .conftest import LMIM, build

CONTRAST = dict(type='ContrastiveAlignmentHead')


def test_one_mask_is_what_it_was_to_the_bit(lmim, views):
    model = lmim()
    noise = torch.rand(3, 16)
    visible, mask, ids_restore = model.backbone(views[0], noise=noise)
    guidance = model.backbone(views[1], mask=False)
    pred = model.neck(visible, ids_restore, guidance)
    losses = model.loss(views, noise=noise)
    assert torch.equal(losses['loss_recon'], model.head.loss(
        pred, model.target_generator(views[0]), mask))
    assert torch.equal(losses['loss_align'], torch.nn.functional.mse_loss(
        visible[:, 0], guidance[:, 0]))


@pytest.mark.parametrize('changes', [
    {}, dict(branches='none'), dict(alignment_head=CONTRAST),
    dict(pixel_weight=0.1)])
def test_losses_are_the_mean_over_the_masks(lmim, views, changes):
    model = lmim(num_masks=2, **changes)
    noise = torch.rand(2, 3, 16)
    single = [model.loss(views, noise=each) for each in noise]
    both = model.loss(views, noise=noise.flatten(0, 1))
    assert both.keys() == single[0].keys()
    for name, value in both.items():
        assert not torch.allclose(single[0][name], single[1][name])
        torch.testing.assert_close(
            value, (single[0][name] + single[1][name]) / 2)


def test_teacher_and_guidance_pass_once(lmim, views):
    model = lmim(num_masks=3)
    seen = []
    for name in ('backbone', 'target_generator'):
        getattr(model, name).register_forward_hook(
            lambda module, args, result, name=name: seen.append(
                (name, len(args[0]))))
    found = model.predict(views)
    assert sorted(seen) == [('backbone', 3), ('backbone', 9),
                            ('target_generator', 3)]
    masks = found.mask.unflatten(0, (3, 3))
    assert masks.sum(-1).eq(12).all()
    assert not torch.equal(masks[0], masks[1])
    for target in found.target.split(3):
        assert torch.equal(target, model.target_generator(views[0]))


def test_processes_hide_what_one_would(views):
    """Image i of a process is image i * processes + rank of the batch."""
    images = torch.cat([views[0], views[1][:1]])
    found = []
    for rank, size in ((0, 1), (0, 2), (1, 2)):
        model = build(dict(
            type='MIM', backbone=LMIM['backbone'], num_masks=2,
            neck=dict(type='MAEDecoder', in_dims=16, out_dims=48,
                      embed_dims=24, num_layers=1, num_heads=2, grid=(2, 8)),
            target_generator=dict(type='PixelTarget')))
        model.backbone.mask.seed_masks(5, rank, size)
        found.append(model.predict(images[rank::size]).mask.unflatten(
            0, (2, -1)))
    whole, first, second = found
    assert torch.equal(whole[:, 0::2], first)
    assert torch.equal(whole[:, 1::2], second)
