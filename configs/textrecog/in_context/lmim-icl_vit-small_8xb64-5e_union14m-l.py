# A recognizer that reads behind two labelled pictures that are like its own
# (E2STR, arXiv 2311.13120, without its language model). 5 epochs, as its
# in-context training; all words of a sequence are learnt, so that plain
# reading is learnt with it. A step sees three pictures a sample.
_base_ = '../transformer/transformer_vit-small_8xb64-10e_union14m-l.py'

model = dict(type='InContextRecognizer', num_prompts=2)

# Union14M-L has no boxes of characters: prompts are the word in other looks,
# or another sequence's.
train_pipeline = [
    dict(type='SetSampleSeed'),
    dict(type='LoadOCRAnnotations', with_text=True),
    dict(
        type='InContextViews',
        num_prompts=2,
        transforms=[
            dict(type='Resize', scale=(128, 32)),
            *_base_.augmentation,
            dict(type='PackTextRecogInputs', meta_keys=_base_.meta_keys),
        ]),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
train_cfg = dict(max_epochs=5)
