_base_ = [
    '../../_base_/models/satrn_vit-small.py',
    '../../_base_/textrecog_rendered.py',
]

transformer = dict(
    n_layers=1, n_head=4, d_k=32, d_v=32, d_model=128, d_inner=256, dropout=0.)
model = dict(
    backbone=dict(vit=_base_.vit_mini, out_channels=128),
    encoder=transformer,
    decoder=dict(transformer, d_embedding=128, max_seq_len=12))
