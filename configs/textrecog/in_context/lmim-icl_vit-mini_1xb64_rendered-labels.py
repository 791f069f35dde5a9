# The recognizer of the size of lmim_vit-mini, reading behind two labelled
# pictures. Words are drawn while it trains, with the boxes of their
# characters, so that prompts are parts of the word, too. A fifth of the
# sequences is in other letters, which only its prompts tell.
_base_ = '../transformer/transformer_vit-mini_1xb64_rendered-labels.py'

model = dict(type='InContextRecognizer', num_prompts=2)

train_pipeline = [
    dict(type='SetSampleSeed'),
    dict(type='LoadOCRAnnotations', with_text=True),
    dict(
        type='InContextViews',
        num_prompts=2,
        cipher=0.2,
        transforms=[
            dict(type='Resize', scale=(128, 32)),
            dict(type='PackTextRecogInputs', meta_keys=_base_.meta_keys),
        ]),
]
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='RenderedTextDataset',
        length=20000,
        part='train',
        lengths=(3, 6),
        with_text=True,
        with_letters=True,
        pipeline=train_pipeline))
