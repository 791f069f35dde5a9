# The small recognizer with SIGA's head; glyphs are found by grey values.
_base_ = [
    '../../_base_/models/siga_vit-small.py',
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
        max_seq_len=8),
    glyph_head=dict(
        segmentation=dict(
            taps=(1, 2, 3),
            embed_dims=32,
            tap_dims=16,
            out_dims=32,
            strides=((8, 2), (4, 2))),
        # Patches have one row, in which letters cannot be told from ground.
        scales=(1, )))

train_pipeline = [
    dict(type='SetSampleSeed'),
    dict(type='LoadOCRAnnotations', with_text=True),
    dict(type='GlyphMap', source='otsu', img_size=(32, 128)),
    dict(type='Resize', scale=(128, 32)),
    dict(
        type='PackTextRecogInputs',
        meta_keys=(*_base_.meta_keys, 'glyph_map')),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
