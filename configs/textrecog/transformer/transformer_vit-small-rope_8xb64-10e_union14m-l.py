# The paper's recognizer on an encoder with rotary positions.
_base_ = 'transformer_vit-small_8xb64-10e_union14m-l.py'

model = dict(
    backbone=dict(
        pos_embed='none',
        rotary=dict(type='MixedRotary'),
        init_cfg=dict(
            checkpoint='work_dirs/lmim_vit-small-rope_8xb64-10e_union14m-u/'
            'epoch_10.pth')))
