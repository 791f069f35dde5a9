# How pictures are read for pre-training; a run adds `dataset`.
# MAE needs no second view: its configs take mae_pipeline.
mae_pipeline = [
    dict(type='SetSampleSeed'),
    dict(type='Resize', scale=(128, 32)),
    dict(type='PackPretrainInputs')
]
lmim_pipeline = [
    dict(type='SetSampleSeed'),
    # From the original picture, before it is resized.
    dict(type='GuidanceView', level='medium', img_size=(32, 128)),
    dict(type='Resize', scale=(128, 32)),
    dict(type='PackPretrainInputs')
]
# For model.data_preprocessor.type=GuidanceViewPreprocessor, which makes the
# guidance view on the device.
device_pipeline = [
    dict(type='SetSampleSeed'),
    dict(type='GuidancePlan', level='medium', img_size=(32, 128)),
    dict(type='Resize', scale=(2 * 128, 2 * 32)),
    dict(
        type='PackPretrainInputs',
        keys=('img', ),
        meta_keys=('guidance_plan', ))
]
# The image, and DiG's view of it.
dig_pipeline = [
    lmim_pipeline[0],
    dict(lmim_pipeline[1], level='dig'),
    *lmim_pipeline[2:],
]
# The image, and what SSM's moving average sees.
ssm_pipeline = [
    lmim_pipeline[0],
    dict(lmim_pipeline[1], level='weak', gray_prob=0.2),
    *lmim_pipeline[2:],
]
# CCD's two views of a picture and its regions. Letters that are known, with
# RenderedTextDataset(with_letters='labels'): GlyphMap(source='letters').
ccd_pipeline = [
    dict(type='SetSampleSeed'),
    dict(type='GlyphMap', img_size=(32, 128)),
    dict(
        type='GuidanceView', level='ccd', img_size=(32, 128), with_warp=True),
    dict(type='GuidanceView', level='color', img_size=(32, 128), key='img'),
    dict(
        type='PackPretrainInputs', meta_keys=('glyph_map', 'guidance_warp'))
]
# Two words in one style, on one canvas, and the picture without text, of
# RenderedTextDataset(pair='same_style'); and what the words are.
darling_pipeline = [
    dict(type='SetSampleSeed'),
    dict(
        type='ForEachPicture',
        transforms=[dict(type='Resize', scale=(128, 32))]),
    dict(
        type='PackPretrainInputs',
        keys=('img', 'pair_img', 'erased_img'),
        meta_keys=('text', 'pair_text'))
]
# LMIM's two views, regions of one colour, and where the second view has them.
# Letters that are known: RegionMap(source='letters'), as for CCD.
hsg_pipeline = [
    lmim_pipeline[0],
    dict(type='RegionMap', img_size=(32, 128)),
    dict(lmim_pipeline[1], with_warp=True),
    lmim_pipeline[2],
    dict(
        type='PackPretrainInputs', meta_keys=('region_map', 'guidance_warp'))
]
# The image, its text, and its word in plain letters.
odm_pipeline = [
    dict(type='SetSampleSeed'),
    dict(type='Resize', scale=(128, 32)),
    dict(type='DrawPlainGlyphs', img_size=(32, 128)),
    dict(
        type='PackPretrainInputs',
        keys=('img', ),
        meta_keys=('text', 'plain_glyphs', 'straight'))
]
# Two views of a picture that is decoded once; the run adds
# train_dataloader.collate_fn=dict(type='stack_views').
seqclr_pipeline = [
    dict(type='SetSampleSeed'),
    dict(
        type='SeveralViews',
        num_views=2,
        transforms=[
            dict(type='GuidanceView', level='sequence', img_size=(32, 128)),
            dict(type='PackPretrainInputs', keys=('guidance_img', ))
        ])
]

train_dataloader = dict(
    batch_size=64,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    sampler=dict(type='LeanSampler', shuffle=True),
    collate_fn=dict(type='default_collate'))
