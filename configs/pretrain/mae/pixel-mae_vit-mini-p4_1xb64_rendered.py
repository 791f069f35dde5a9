# The patches of the paper, by the recipe of smaller ones.
_base_ = 'pixel-mae_vit-mini-p2_1xb64_rendered.py'

model = dict(
    backbone=dict(patch_size=4, mask=dict(cell=(1, 1))),
    neck=dict(out_dims=4 * 4 * 3, grid=(16 // 4, 48 // 4)),
    target_generator=dict(patch_size=4))
