_base_ = '../transformer/transformer_vit-mini_1xb64_rendered-labels.py'

model = dict(
    decoder=dict(
        type='ParallelDecoder',
        num_layers=1,
        refine_steps=1,
        feedforward_channels=4 * 128))
