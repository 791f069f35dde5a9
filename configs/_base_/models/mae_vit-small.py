# MAE as MAERec trains it: one branch, 75 % of the patches hidden, the target
# is the pixels of each patch, normalised.
model = dict(
    type='MIM',
    backbone=dict(
        type='MaskedViT',
        arch='small',
        img_size=(32, 128),
        patch_size=4,
        mask=dict(type='RandomMasking', ratio=0.75)),
    neck=dict(
        type='MAEDecoder',
        in_dims=384,
        out_dims=4 * 4 * 3,
        embed_dims=512,
        num_layers=8,
        num_heads=16,
        grid=(32 // 4, 128 // 4)),
    head=dict(type='ReconstructionHead'),
    target_generator=dict(type='PixelTarget', patch_size=4, norm_pix=True))
