_base_ = [
    '../../_base_/models/master_vit-small.py',
    '../../_base_/textrecog_rendered.py',
]

model = dict(
    backbone=dict(vit=_base_.vit_mini, out_channels=128),
    decoder=dict(
        n_layers=1,
        n_head=4,
        d_model=128,
        d_inner=256,
        feat_size=32,
        feat_pe_drop=0.,
        max_seq_len=12))

optim_wrapper = dict(optimizer=dict(lr=1e-3))
