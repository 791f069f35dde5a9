# MAE of patches of 2x2 pixels, whose positions are learned. Cells of 4x4
# pixels are hidden and normalised together, which is the task of patches of
# 4x4; a quarter of what is hidden is rebuilt each time.
model = dict(
    type='MIM',
    backbone=dict(
        type='MaskedViT',
        arch='small',
        img_size=(32, 128),
        patch_size=2,
        pos_embed='learned',
        mask=dict(type='RandomMasking', ratio=0.8, cell=(2, 2))),
    neck=dict(
        type='SampledDecoder',
        in_dims=384,
        out_dims=2 * 2 * 3,
        embed_dims=384,
        num_layers=4,
        num_heads=6,
        sample=0.25,
        grid=(32 // 2, 128 // 2),
        pos_embed='learned'),
    head=dict(type='ReconstructionHead'),
    target_generator=dict(
        type='PixelTarget', patch_size=2, norm_pix=True, cell=(4, 4)))

# Positions take no weight decay.
pixel_paramwise_cfg = dict(
    flat_decay_mult=0., custom_keys=dict(pos_embed=dict(decay_mult=0.)))
