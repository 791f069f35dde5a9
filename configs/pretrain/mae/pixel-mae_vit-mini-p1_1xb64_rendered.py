# Patches of one pixel in the size of a CPU, 768 tokens.
_base_ = 'pixel-mae_vit-mini-p2_1xb64_rendered.py'

model = dict(
    backbone=dict(patch_size=1, mask=dict(cell=(4, 4))),
    neck=dict(out_dims=3, grid=(16, 48)),
    target_generator=dict(patch_size=1))
