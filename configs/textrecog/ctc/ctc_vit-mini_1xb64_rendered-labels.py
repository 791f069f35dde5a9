_base_ = [
    '../../_base_/models/ctc_vit-small.py',
    '../../_base_/textrecog_rendered.py',
]

model = dict(
    backbone=dict(vit=_base_.vit_mini), decoder=dict(in_channels=128))
