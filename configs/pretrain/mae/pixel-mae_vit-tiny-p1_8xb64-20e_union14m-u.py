# Patches of one pixel, for research: 4,096 tokens, of which 819 are seen in
# pre-training. Whoever reads with this encoder computes all of them.
_base_ = 'pixel-mae_vit-small-p2_8xb64-20e_union14m-u.py'

model = dict(
    backbone=dict(
        arch='tiny', patch_size=1, mask=dict(cell=(4, 4))),
    neck=dict(
        in_dims=192,
        out_dims=3,
        embed_dims=192,
        num_heads=3,
        sample=0.15,
        grid=(32, 128)),
    target_generator=dict(patch_size=1))
