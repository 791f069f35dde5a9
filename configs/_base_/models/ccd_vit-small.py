# CCD. Where paper and code differ, or a choice is ours, one option each:
#   L_seg of logits, not of probabilities   model.seg_logits=True
#   n places for n regions, not n + 1       model.regions.padded=False
#   regions by grey values to the end       model.own_regions=None
#   gains of prototypes stay 1 (for ViT-B)  model.projector.fixed_gain=True
#   the published encoder, no [CLS]         model.backbone.with_cls_token=False
# The code carries regions by a matrix that is up to a pixel off; here by the
# warp that made the view. It feeds pixels normalised by ImageNet's mean and
# spread; here they are from -1 to 1, as recognizers feed them.
model = dict(
    type='CCD',
    backbone=dict(
        type='TextViT',
        arch='small',
        img_size=(32, 128),
        patch_size=4,
        pos_embed='grid',
        freeze_pos_embed=False,
        drop_path_rate=0.1),
    neck=dict(
        type='GlyphSegmentation',
        in_dims=384,
        taps=(2, 4, 6),
        embed_dims=128,
        tap_dims=64,
        out_dims=128,
        grid=(32 // 4, 128 // 4),
        strides=((2, 2), (2, 2))),
    regions=dict(
        type='CharacterRegions',
        grid=(32 // 4, 128 // 4),
        mode='bilinear',
        padded=True),
    projector=dict(
        type='PrototypeProjector',
        in_dims=384,
        hidden_dims=2048,
        bottleneck_dims=256,
        num_prototypes=65536,
        # 1 of 98 million pictures.
        frozen=1 / 98),
    distillation_head=dict(
        type='DistillationHead',
        num_prototypes=65536,
        temperature=0.1,
        key_temperature=0.04,
        center_momentum=0.9),
    seg_logits=False,
    # 30 of 98 million pictures.
    own_regions=30 / 98,
    ema=dict(type='mmpretrain.CosineEMA', momentum=0.0005))
