# CTC on patches of 2x2, in the size of a CPU: pictures of 16x48.
_base_ = 'ctc_vit-mini_1xb64_rendered-labels.py'

model = dict(
    backbone=dict(
        vit=dict(
            arch=dict(
                _delete_=True,
                embed_dims=64,
                num_layers=4,
                num_heads=2,
                feedforward_channels=256),
            img_size=(16, 48),
            patch_size=2,
            pos_embed='learned',
            init_cfg=dict(
                checkpoint='work_dirs/pixel-mae_vit-mini-p2_1xb64_rendered/'
                'epoch_4.pth'))),
    decoder=dict(in_channels=64))

train_pipeline = _base_.train_pipeline
train_pipeline[2].scale = (48, 16)
test_pipeline = train_pipeline[1:]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader

optim_wrapper = dict(
    paramwise_cfg=dict(custom_keys=dict(pos_embed=dict(decay_mult=0.))))
