# The paper's recognizer with SIGA's head. Glyphs are found by grey values, and
# bent with the picture: of the augmentation of other configs, what tells how
# it bends takes the place.
_base_ = [
    '../../_base_/models/siga_vit-small.py',
    '../../_base_/textrecog_union14m-l.py',
]

train_pipeline = [
    dict(type='SetSampleSeed'),
    # From the original picture.
    dict(type='GlyphMap', source='otsu', img_size=(32, 128)),
    dict(
        type='SeveralViews',
        num_views=2,
        transforms=[
            dict(type='LoadOCRAnnotations', with_text=True),
            dict(
                type='GuidanceView',
                level='ccd',
                img_size=(32, 128),
                key='img',
                with_warp=True),
            dict(
                type='PackTextRecogInputs',
                meta_keys=(*_base_.meta_keys, 'glyph_map', 'guidance_warp'))
        ]),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
