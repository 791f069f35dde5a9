_base_ = [
    '../../_base_/models/abinet_vit-small.py',
    '../../_base_/textrecog_rendered.py',
]

model = dict(
    backbone=dict(vit=_base_.vit_mini, out_channels=128),
    encoder=dict(
        max_len=32, n_layers=1, n_head=4, d_model=128, d_inner=256,
        dropout=0.),
    decoder=dict(
        d_model=128,
        num_iters=1,
        max_seq_len=12,
        vision_decoder=dict(in_channels=128, attn_height=1),
        language_decoder=dict(
            n_layers=1, n_head=4, d_model=128, d_inner=256, dropout=0.)))
