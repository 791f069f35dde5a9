_base_ = [
    '../../_base_/models/crnn_vit-small.py',
    '../../_base_/textrecog_rendered.py',
]

model = dict(
    backbone=dict(vit=_base_.vit_mini, out_channels=128),
    # With larger weights after each LSTM ten words are learnt in under 200
    # steps, without them not in 400.
    decoder=dict(
        in_channels=128,
        init_cfg=dict(type='Xavier', layer=['Conv2d', 'Linear'], gain=3.)))
