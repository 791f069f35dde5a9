_base_ = 'lmim_vit-small_8xb64-10e_union14m-u.py'

model = dict(
    backbone=dict(arch='tiny'),
    neck=dict(in_dims=192, out_dims=192),
    target_generator=dict(
        checkpoint='work_dirs/mae_vit-tiny_8xb128-20e_union14m-u/'
        'epoch_20.pth',
        encoder=dict(arch='tiny')))
