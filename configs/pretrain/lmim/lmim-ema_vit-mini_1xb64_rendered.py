# As lmim-ema_vit-small; of short runs the average forgets faster.
_base_ = 'lmim_vit-mini_1xb64_rendered.py'

model = dict(
    branches='none',
    pixel_weight=0.1,
    target_generator=dict(
        _delete_=True, type='EMATarget', momentum=0.02, norm='instance'))
train_dataloader = dict(dataset=dict(pipeline=_base_.mae_pipeline))
