# The recognizer of the size of lmim_vit-mini, for words of up to 8
# characters.
_base_ = [
    '../../_base_/models/transformer_vit-small.py',
    '../../_base_/textrecog_rendered.py',
]

model = dict(
    backbone=_base_.vit_mini,
    encoder=dict(in_dims=128, embed_dims=128),
    decoder=dict(
        num_layers=2,
        embed_dims=128,
        num_heads=4,
        head_dims=32,
        feedforward_channels=256,
        drop_rate=0.,
        max_seq_len=8))
