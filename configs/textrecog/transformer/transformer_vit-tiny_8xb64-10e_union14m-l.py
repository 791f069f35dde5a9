_base_ = 'transformer_vit-small_8xb64-10e_union14m-l.py'

model = dict(
    backbone=dict(
        arch='tiny',
        init_cfg=dict(checkpoint='work_dirs/'
                      'lmim_vit-tiny_8xb64-10e_union14m-u/epoch_10.pth')),
    encoder=dict(in_dims=192))
