# After DARLING: neither code nor tables of its authors could be had, and how
# the parts are built is this project's choice. One option each:
#   the painter sees style alone      model.neck.inject=none
#   weights of the losses             model.read_weight=0.1 ...
#   styles kept from being the same   model.align_head.variance_weight=1
_base_ = 'text_vit.py'

model = dict(
    type='DARLING',
    backbone=dict(
        type='ContentViT', arch='small', img_size=(32, 128), patch_size=4),
    neck=dict(
        type='PromptedPainter',
        in_dims=384,
        embed_dims=256,
        num_layers=4,
        num_heads=8,
        # Of the dictionary, with end, padding and unknown.
        num_classes=97,
        padding_idx=95,
        max_seq_len=25,
        grid=(32 // 4, 128 // 4),
        patch_size=(4, 4),
        inject='gated'),
    encoder=dict(type='LinearEncoder', in_dims=384 // 2, embed_dims=384),
    decoder=dict(
        type='TextTransformerDecoder',
        dictionary=dict(
            _base_.english.dictionary,
            with_end=True,
            with_padding=True,
            with_unknown=True),
        num_layers=2,
        embed_dims=384,
        num_heads=6,
        head_dims=64,
        feedforward_channels=4 * 384,
        max_seq_len=25,
        module_loss=dict(type='WordLoss')),
    align_head=dict(type='LinguisticsAlignmentHead', variance_weight=0.),
    read_weight=1.,
    edit_weight=1.,
    remove_weight=1.)
