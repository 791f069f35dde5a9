# The same with letters that are known exactly, of words that are drawn while
# training runs. Attention is also drawn to the columns of its letter, which
# SIGA, without labels of glyphs, cannot do.
_base_ = 'siga_vit-mini_1xb64_rendered-labels.py'

model = dict(glyph_head=dict(letters=True, columns_weight=0.5))

_base_.train_pipeline[2].source = 'letters'
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='RenderedTextDataset',
        length=10_000,
        with_text=True,
        with_letters='labels',
        pipeline=_base_.train_pipeline))
