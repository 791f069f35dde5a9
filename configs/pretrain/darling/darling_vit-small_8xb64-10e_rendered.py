# After DARLING, on pairs of words that are drawn while training runs. No
# setting of its authors is known: schedule and numbers are this project's.
_base_ = [
    '../../_base_/models/darling_vit-small.py',
    '../../_base_/datasets/rendered_on_the_fly.py',
    '../../_base_/pretrain_dataloader.py',
    '../../_base_/schedules/pretrain_adamw_cosine.py',
    '../../_base_/default_runtime.py',
]

train_dataloader = dict(
    dataset=dict(
        _base_.rendered_on_the_fly_pretrain,
        length=4_000_000,
        pair='same_style',
        with_text=True,
        pipeline=_base_.darling_pipeline))

optim_wrapper = dict(optimizer=dict(lr=3e-4))
auto_scale_lr = dict(base_batch_size=512)
train_cfg = dict(max_epochs=10)
