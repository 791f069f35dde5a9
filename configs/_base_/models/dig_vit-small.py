# DiG. Where code and README differ, or a choice is ours, one option each:
#   pixels of each patch normalised  model.target_generator.norm_pix=channel
#   the published encoder, no [CLS]  model.backbone.with_cls_token=False
#   the final norm in pre-training   model.backbone.normed=True
model = dict(
    type='DiG',
    backbone=dict(
        type='SimMIMViT',
        arch='small',
        img_size=(32, 128),
        patch_size=4,
        pos_embed='line',
        # int(0.7 * 256) patches are hidden.
        mask=dict(type='RandomMasking', ratio=179 / 256)),
    neck=dict(type='PixelDecoder', in_dims=384, embed_dims=192, out_dims=48),
    target_generator=dict(
        type='PixelTarget', patch_size=4, norm_pix=False, unit=True),
    token_projector=dict(type='TokenMLP', embed_dims=384, hidden_dims=512),
    projector=dict(
        type='WindowProjector',
        in_dims=384,
        hidden_dims=4096,
        out_dims=256,
        num_windows=4,
        grid=(32 // 4, 128 // 4)),
    contrast_head=dict(
        type='MomentumContrastHead',
        in_dims=256,
        hidden_dims=4096,
        temperature=0.2,
        loss_weight=0.1),
    ema=dict(type='mmpretrain.CosineEMA', momentum=0.01))
