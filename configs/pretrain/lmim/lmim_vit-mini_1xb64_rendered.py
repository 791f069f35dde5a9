# LMIM of the size of mae_vit-mini, its teacher.
_base_ = [
    '../../_base_/models/lmim_vit-small.py',
    '../../_base_/datasets/rendered.py',
    '../../_base_/pretrain_dataloader.py',
    '../../_base_/schedules/pretrain_adamw_cosine.py',
    '../../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(arch='mini', patch_size=(32, 4), pos_embed='grid'),
    neck=dict(
        in_dims=128,
        out_dims=128,
        embed_dims=128,
        num_layers=2,
        num_heads=4,
        feedforward_channels=256,
        drop_rate=0.,
        grid=(1, 128 // 4),
        pos_embed='grid'),
    target_generator=dict(
        checkpoint='work_dirs/mae_vit-mini_1xb64_rendered/epoch_4.pth',
        encoder=dict(arch='mini', patch_size=(32, 4), pos_embed='grid')))

_base_.rendered_pretrain.pipeline = _base_.lmim_pipeline
train_dataloader = dict(num_workers=1, dataset=_base_.rendered_pretrain)

# A small model on few images learns from larger steps than the paper's.
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
auto_scale_lr = dict(base_batch_size=64)
train_cfg = dict(max_epochs=4)
default_hooks = dict(logger=dict(interval=20))
