_base_ = 'lmim_vit-small_8xb64-10e_union14m-u.py'

model = dict(
    backbone=dict(arch='base'),
    neck=dict(in_dims=768, out_dims=768),
    target_generator=dict(
        checkpoint='work_dirs/mae_vit-base_8xb128-20e_union14m-u/'
        'epoch_20.pth',
        encoder=dict(arch='base')))
