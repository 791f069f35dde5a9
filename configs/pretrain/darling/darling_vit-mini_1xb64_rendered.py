# After DARLING, of a size that two CPU cores train in minutes; words of up to
# 6 letters, in pairs that are drawn while training runs.
_base_ = [
    '../../_base_/models/darling_vit-small.py',
    '../../_base_/datasets/rendered_on_the_fly.py',
    '../../_base_/pretrain_dataloader.py',
    '../../_base_/schedules/pretrain_adamw_cosine.py',
    '../../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(arch='mini', patch_size=(32, 4), pos_embed='grid'),
    neck=dict(
        in_dims=128,
        embed_dims=128,
        num_layers=2,
        num_heads=4,
        max_seq_len=8,
        grid=(1, 128 // 4),
        patch_size=(32, 4)),
    encoder=dict(in_dims=128 // 2, embed_dims=128),
    decoder=dict(
        num_layers=1,
        embed_dims=128,
        num_heads=4,
        head_dims=32,
        feedforward_channels=256,
        drop_rate=0.,
        max_seq_len=8))

train_dataloader = dict(
    num_workers=1,
    dataset=dict(
        type='RenderedTextDataset',
        length=10_000,
        pair='same_style',
        with_text=True,
        pipeline=_base_.darling_pipeline))

# A small model on few images learns from larger steps than the paper's.
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
auto_scale_lr = dict(base_batch_size=64)
train_cfg = dict(max_epochs=4)
default_hooks = dict(logger=dict(interval=20))
