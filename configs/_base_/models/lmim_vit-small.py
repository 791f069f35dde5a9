# LMIM as the paper's best row has it. Its ablations are one option each:
#   branches         model.branches=none | guidance | both
#   guidance level   train_dataloader.dataset.pipeline.1.level=weak | medium |
#                    strong
#   decoder block    model.neck.order=CA-SA-FFN | SA-CA-FFN
#   target           model.target_generator: see the configs
#                    lmim_vit-small_8xb64-5e_book32-openimages_{pixel,random}
#   mask             model.backbone.mask.type=RandomMasking | BlockMasking
#                    model.backbone.mask.ratio=0.6 | 0.8 | 0.9
# And what the paper does not have:
#   ink              model.backbone.mask.type=InkMasking
#                    model.backbone.mask.strength=0 | 2 | 8
#   DSHM's scores    model.backbone.mask.type=DSHMMasking
#   characters       model.backbone.mask.type=CharacterSpanMasking, and
#                    train_dataloader.dataset.pipeline.3.meta_keys=[aspect]:
#                    see lmim_vit-small_8xb64-10e_union14m-u_span
#   target's norm    model.target_generator.norm=layer (the paper's) |
#                    instance | instance-layer | whitened
#   alignment that   model.alignment_head.variance_weight=1.
#   cannot collapse  model.alignment_head.type=ContrastiveAlignmentHead |
#                    PredictorAlignmentHead (towards a moving average)
#   no teacher run   model.target_generator: dict(_delete_=True,
#                    type='EMATarget', momentum=0.004, layers=1); model.
#                    pixel_weight=0.1 ties it to the pixels
#   reconstruction   model.head.loss.type=SmoothL1ReconstructionLoss
#   masks of an      model.num_masks=2, for one pass of teacher and guidance
#   image
model = dict(
    type='LMIM',
    branches='both',
    backbone=dict(
        type='MaskedViT',
        arch='small',
        img_size=(32, 128),
        patch_size=4,
        mask=dict(type='RandomMasking', ratio=0.8)),
    neck=dict(
        type='LinguisticsGuidedDecoder',
        in_dims=384,
        out_dims=384,
        embed_dims=512,
        num_layers=2,
        num_heads=16,
        feedforward_channels=2048,
        drop_rate=0.1,
        order='SA-CA-FFN',
        grid=(32 // 4, 128 // 4)),
    head=dict(type='ReconstructionHead', loss_weight=1.0),
    alignment_head=dict(type='LinguisticsAlignmentHead', loss_weight=1.0),
    # The teacher: a checkpoint of MAERec, or of configs/pretrain/mae/.
    target_generator=dict(
        type='MAERecTargetExtractor',
        checkpoint='work_dirs/mae_vit-small_8xb128-20e_union14m-u/'
        'epoch_20.pth',
        encoder=dict(
            type='TextViT', arch='small', img_size=(32, 128), patch_size=4)))
