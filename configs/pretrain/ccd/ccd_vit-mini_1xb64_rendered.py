# CCD of a size that two CPU cores train in minutes; no teacher is needed.
_base_ = [
    '../../_base_/models/ccd_vit-small.py',
    '../../_base_/datasets/rendered.py',
    '../../_base_/pretrain_dataloader.py',
    '../../_base_/schedules/pretrain_adamw_cosine.py',
    '../../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(arch='mini', patch_size=(32, 4), drop_path_rate=0.),
    neck=dict(
        in_dims=128,
        taps=(1, 2, 3),
        embed_dims=32,
        tap_dims=16,
        out_dims=32,
        grid=(1, 128 // 4),
        strides=((8, 2), (4, 2))),
    # All pixels of a patch count, of which there are more.
    regions=dict(grid=(1, 128 // 4), mode='area'),
    projector=dict(
        in_dims=128,
        hidden_dims=512,
        bottleneck_dims=64,
        num_prototypes=1024),
    distillation_head=dict(num_prototypes=1024),
    # Of short runs the average forgets faster.
    ema=dict(momentum=0.02))

_base_.rendered_pretrain.pipeline = _base_.ccd_pipeline
train_dataloader = dict(num_workers=1, dataset=_base_.rendered_pretrain)

# A small model on few images learns from larger steps than the paper's.
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
auto_scale_lr = dict(base_batch_size=64)
train_cfg = dict(max_epochs=4)
default_hooks = dict(logger=dict(interval=20))
