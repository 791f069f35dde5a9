# The encoder of the shipped reader, frozen, and a decoder that reads behind
# two labelled pictures: a pool for real words, on a CPU. Three of four words
# are drawn, the others photographed; LMIM_DATA_ROOT/real/train has these.
_base_ = [
    'lmim-icl_vit-mini_1xb64_rendered-labels.py',
    '../../_base_/reader.py',
]

model = dict(
    # A pool mostly has other words than the one that is read.
    others=0.5,
    backbone=dict(
        **_base_.encoder,
        frozen_stages=2,
        init_cfg=dict(checkpoint=__import__('lmim').__path__[0] +
                      '/weights/reader.safetensors')),
    encoder=dict(in_dims=256, embed_dims=192),
    decoder=dict(
        num_layers=2,
        embed_dims=192,
        num_heads=6,
        feedforward_channels=384,
        max_seq_len=25,
        module_loss=dict(on_unknown='map')))

# Letters of both cases and digits are permuted.
alphabet = ('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789')
train_pipeline = [
    *_base_.train_pipeline[:-1],
    dict(_base_.train_pipeline[-1], alphabet=alphabet)
]
train_dataloader = dict(
    batch_size=32,
    sampler=dict(
        _delete_=True, type='RatioSampler', ratios=[0.5, 0.25, 0.25],
        epoch_length=6400),
    dataset=dict(
        _delete_=True,
        type='ConcatDataset',
        datasets=[
            dict(
                type='RenderedTextDataset',
                length=100000,
                alphabet=alphabet,
                lengths=(1, 12),
                with_text=True,
                with_letters=True,
                pair='same_style',
                pipeline=None),
            dict(
                type='RenderedTextDataset',
                length=100000,
                alphabet=alphabet + '.,:-/$&@#%()!?\'"*+=',
                lengths=(1, 10),
                style='print',
                with_text=True,
                with_letters=True,
                pair='near_text',
                pipeline=None),
            dict(
                type='TextImageDataset',
                paths=_base_.real + 'train',
                with_text=True,
                pipeline=None),
        ],
        pipeline=train_pipeline))
optim_wrapper = dict(optimizer=dict(lr=1e-3), clip_grad=dict(max_norm=5.))
train_cfg = dict(max_epochs=20)
