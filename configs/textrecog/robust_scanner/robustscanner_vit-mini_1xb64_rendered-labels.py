_base_ = [
    '../../_base_/models/robustscanner_vit-small.py',
    '../../_base_/textrecog_rendered.py',
]

model = dict(
    backbone=dict(vit=_base_.vit_mini, out_channels=128),
    encoder=dict(in_channels=128, out_channels=64),
    decoder=dict(
        in_channels=[128, 128],
        hybrid_decoder=dict(dim_input=128, dim_model=64),
        position_decoder=dict(dim_input=128, dim_model=64),
        max_seq_len=12))
