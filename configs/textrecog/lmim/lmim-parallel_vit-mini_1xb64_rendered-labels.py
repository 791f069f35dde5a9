_base_ = 'lmim_vit-mini_1xb64_rendered-labels.py'

model = dict(
    decoder=dict(
        type='LMIMParallelDecoder',
        num_layers=1,
        refine_steps=1,
        feedforward_channels=4 * 128))
