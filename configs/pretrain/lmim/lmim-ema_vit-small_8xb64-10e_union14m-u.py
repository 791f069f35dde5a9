# Without a teacher's run: a moving average of the encoder makes the targets,
# tied to the pixels by a small loss of their own.
_base_ = 'lmim_vit-small_8xb64-10e_union14m-u.py'

model = dict(
    branches='none',
    pixel_weight=0.1,
    target_generator=dict(
        _delete_=True, type='EMATarget', momentum=0.004, norm='instance'))
train_dataloader = dict(dataset=dict(pipeline=_base_.mae_pipeline))
