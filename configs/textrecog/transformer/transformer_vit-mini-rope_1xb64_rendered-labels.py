# On an encoder with rotary positions, which MAE alone has pre-trained.
_base_ = 'transformer_vit-mini_1xb64_rendered-labels.py'

model = dict(
    backbone=dict(
        pos_embed='none',
        rotary=dict(type='MixedRotary'),
        init_cfg=dict(
            checkpoint='work_dirs/mae_vit-mini-rope_1xb64_rendered/'
            'epoch_4.pth')))
