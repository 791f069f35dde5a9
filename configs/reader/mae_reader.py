# The reader's pre-training, by MAE: real pictures without labels (half of
# what is seen), and rendered ones.
_base_ = [
    '../pretrain/mae/mae_vit-mini_1xb64_rendered.py',
    '../_base_/reader.py',
]

model = dict(
    backbone=dict(_base_.encoder),
    neck=dict(in_dims=256, embed_dims=128))

train_dataloader = dict(
    batch_size=128,
    num_workers=1,
    sampler=dict(
        _delete_=True, type='RatioSampler', ratios=[0.35, 0.15, 0.5],
        epoch_length=64000),
    dataset=dict(
        _delete_=True,
        type='TextImageDataset',
        paths=[
            _base_.real + 'unlabelled', _base_.words, _base_.rendered
        ],
        pipeline=_base_.mae_pipeline))
auto_scale_lr = dict(base_batch_size=128)
train_cfg = dict(max_epochs=2)
