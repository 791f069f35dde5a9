# Whole characters are hidden, by the aspect of each crop.
_base_ = 'lmim_vit-small_8xb64-10e_union14m-u.py'

model = dict(backbone=dict(mask=dict(type='CharacterSpanMasking')))

train_dataloader = dict(dataset=dict(pipeline=[
    *_base_.lmim_pipeline[:-1],
    dict(type='PackPretrainInputs', meta_keys=['aspect'])
]))
