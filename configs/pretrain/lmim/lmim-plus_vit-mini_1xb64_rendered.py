# As lmim-plus_vit-small.
_base_ = 'lmim_vit-mini_1xb64_rendered.py'

model = dict(branches='none', target_generator=dict(norm='instance'))
# One branch needs no guidance view.
train_dataloader = dict(dataset=dict(pipeline=_base_.mae_pipeline))
