# ODM of a size that two CPU cores train in minutes, of words that are drawn
# while it trains: their letters are known in their places.
_base_ = [
    '../../_base_/models/odm_vit-small.py',
    '../../_base_/datasets/rendered_on_the_fly.py',
    '../../_base_/pretrain_dataloader.py',
    '../../_base_/schedules/pretrain_adamw_cosine.py',
    '../../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(arch='mini', patch_size=(32, 4), pos_embed='grid'),
    text_encoder=dict(out_dims=128, embed_dims=64, num_layers=2),
    neck=dict(num_patches=128 // 4, embed_dims=128, num_layers=2),
    head=dict(in_dims=128, patch_size=(32, 4), grid=(1, 128 // 4)))

train_dataloader = dict(
    num_workers=1,
    dataset=dict(
        _base_.rendered_on_the_fly_pretrain,
        length=4000,
        with_text=True,
        with_plain_glyphs=True,
        pipeline=_base_.odm_pipeline))

# A small model on few images learns from larger steps than the paper's.
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
auto_scale_lr = dict(base_batch_size=64)
train_cfg = dict(max_epochs=4)
default_hooks = dict(logger=dict(interval=20))
