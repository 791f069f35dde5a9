_base_ = [
    '../../_base_/models/aster_vit-small.py',
    '../../_base_/textrecog_rendered.py',
]

model = dict(
    backbone=dict(vit=_base_.vit_mini, out_channels=128),
    encoder=dict(in_channels=128),
    decoder=dict(
        in_channels=128,
        emb_dims=128,
        attn_dims=128,
        hidden_size=128,
        max_seq_len=12))
