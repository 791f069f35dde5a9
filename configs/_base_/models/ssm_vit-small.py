# SSM. Where paper and code differ, or a choice is ours, one option each:
#   turns                            model.directions="['horizontal']"
#   the paper's L_den, not in the code  model.dense_head.type=DenseHead
#   the paper's constant weight of features  model.feature_start=None
#   pixels alone                     model.feature_weight=0
#   the published encoder, no [CLS]  model.backbone.with_cls_token=False
# The code gives the moving average a view whose shear is the same for each
# place in the batch, by mistake; here it is cropped, turned and sometimes
# grey. It feeds pixels from 0 to 1 in pre-training and from -1 to 1 later;
# here they are from -1 to 1 in both, and from 0 to 1 as targets.
model = dict(
    type='SSM',
    backbone=dict(
        type='TextViT',
        arch='small',
        img_size=(32, 128),
        patch_size=4,
        pos_embed='grid'),
    neck=dict(
        type='PromptedDecoder',
        num_prompts=4,
        in_dims=384,
        out_dims=4 * 4 * 3,
        embed_dims=256,
        num_layers=4,
        num_heads=8,
        grid=(32 // 4, 128 // 4),
        pos_embed='grid'),
    target_generator=dict(
        type='PixelTarget', patch_size=4, norm_pix=False, unit=True),
    projector=dict(
        type='WindowProjector',
        in_dims=256,
        hidden_dims=4096,
        out_dims=256,
        num_windows=4,
        grid=(32 // 4, 128 // 4)),
    contrast_head=dict(
        type='MomentumContrastHead',
        in_dims=256,
        hidden_dims=4096,
        temperature=0.2),
    directions=['horizontal', 'vertical', 'both'],
    # 0 before epoch 10, then 1/40, 2/40 ...
    feature_weight=1 / 40,
    feature_start=10,
    ema=dict(type='mmpretrain.CosineEMA', momentum=0.005))
