_base_ = 'mae_vit-small_8xb128-20e_union14m-u.py'

model = dict(backbone=dict(arch='tiny'), neck=dict(in_dims=192))
