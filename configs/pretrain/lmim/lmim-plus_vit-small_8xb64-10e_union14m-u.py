# LMIM as it teaches small models more (docs/proving_ground.md): one branch, as
# the alignment collapses and guidance is a short cut, and targets without what
# a picture's tokens share.
_base_ = 'lmim_vit-small_8xb64-10e_union14m-u.py'

model = dict(branches='none', target_generator=dict(norm='instance'))
# One branch needs no guidance view.
train_dataloader = dict(dataset=dict(pipeline=_base_.mae_pipeline))
