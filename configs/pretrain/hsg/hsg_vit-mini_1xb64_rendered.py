# HSG's groups beside MAE, of a size that two CPU cores train in minutes; no
# teacher is needed.
_base_ = [
    '../../_base_/models/mae_vit-small.py',
    '../../_base_/datasets/rendered.py',
    '../../_base_/pretrain_dataloader.py',
    '../../_base_/schedules/pretrain_adamw_cosine.py',
    '../../_base_/default_runtime.py',
]

model = dict(
    type='HSG',
    backbone=dict(arch='mini', patch_size=(32, 4), pos_embed='grid'),
    neck=dict(
        in_dims=128,
        out_dims=32 * 4 * 3,
        embed_dims=64,
        num_layers=2,
        num_heads=4,
        grid=(1, 128 // 4),
        pos_embed='grid'),
    target_generator=dict(patch_size=(32, 4)),
    grouping_head=dict(
        type='HierarchicalGroupingHead',
        in_dims=128,
        embed_dims=64,
        grid=(1, 128 // 4),
        seeds=(1, 8),
        num_groups=(8, 4),
        norm='LN'))

_base_.rendered_pretrain.pipeline = _base_.hsg_pipeline
train_dataloader = dict(num_workers=1, dataset=_base_.rendered_pretrain)

# A small model on few images learns from larger steps than the paper's.
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
auto_scale_lr = dict(base_batch_size=64)
train_cfg = dict(max_epochs=4)
default_hooks = dict(logger=dict(interval=20))
