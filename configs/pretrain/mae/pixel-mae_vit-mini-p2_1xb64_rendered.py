# Patches of 2x2 in the size of a CPU: pictures of 16x48 for short words, 192
# tokens of 64 channels. Those of 4x4 and of one pixel beside it differ in
# nothing else.
_base_ = [
    '../../_base_/models/pixel-mae_vit-small.py',
    '../../_base_/datasets/rendered.py',
    '../../_base_/pretrain_dataloader.py',
    '../../_base_/schedules/pretrain_adamw_cosine.py',
    '../../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(
        arch=dict(
            _delete_=True,
            embed_dims=64,
            num_layers=4,
            num_heads=2,
            feedforward_channels=256),
        img_size=(16, 48)),
    neck=dict(
        in_dims=64,
        embed_dims=64,
        num_layers=2,
        num_heads=2,
        grid=(16 // 2, 48 // 2)))

pipeline = _base_.mae_pipeline
pipeline[1].scale = (48, 16)
_base_.rendered_pretrain.pipeline = pipeline
train_dataloader = dict(num_workers=1, dataset=_base_.rendered_pretrain)

optim_wrapper = dict(
    optimizer=dict(lr=1.5e-3), paramwise_cfg=_base_.pixel_paramwise_cfg)
auto_scale_lr = dict(base_batch_size=64)
train_cfg = dict(max_epochs=4)
default_hooks = dict(logger=dict(interval=20))
