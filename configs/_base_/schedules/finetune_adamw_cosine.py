# The paper: lr 2e-4 at batch 512, 10 epochs (its code: 1e-4).
_base_ = 'pretrain_adamw_cosine.py'

optim_wrapper = dict(optimizer=dict(lr=1e-4 * 512 / 256, betas=(0.9, 0.999)))

val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
