# HSG's segments and groups beside LMIM. Where the published code differs, or
# a choice is ours, one option each:
#   beside MAE                  model.neck.type=MAEDecoder, and a PixelTarget:
#                               see hsg_vit-mini_1xb64_rendered
#   batch norm                  model.grouping_head.norm=BN
#   the code's modularity,      model.grouping_head.published_nodes=256
#   collapse and padding
#   no groups, regions alone    model.grouping_head.group_weight=0
#                               model.grouping_head.modularity_weight=0
#                               model.grouping_head.collapse_weight=0
#                               model.grouping_head.center_weight=0
#   regions from letters        train_dataloader.dataset.pipeline.1.source=
#                               letters, of rendered words
# The code's views are mirrored and scaled; here they are LMIM's, which can be
# read. Its regions are of an edge detector; here of colours.
_base_ = 'lmim_vit-small.py'

model = dict(
    _delete_=True,
    type='HSG',
    backbone=_base_.model.backbone,
    neck=dict(_base_.model.neck, guided=True),
    head=_base_.model.head,
    alignment_head=_base_.model.alignment_head,
    target_generator=_base_.model.target_generator,
    grouping_head=dict(
        type='HierarchicalGroupingHead',
        in_dims=384,
        embed_dims=128,
        grid=(32 // 4, 128 // 4),
        # A segment is of about 4x4 tokens at first.
        seeds=(2, 8),
        num_groups=(8, 4),
        norm='LN'))
