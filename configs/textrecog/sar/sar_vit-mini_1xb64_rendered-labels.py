_base_ = [
    '../../_base_/models/sar_vit-small.py',
    '../../_base_/textrecog_rendered.py',
]

model = dict(
    backbone=dict(vit=_base_.vit_mini, out_channels=128),
    encoder=dict(d_model=128, d_enc=128),
    decoder=dict(
        d_model=128, d_enc=128, d_k=64, pred_dropout=0., max_seq_len=12))
