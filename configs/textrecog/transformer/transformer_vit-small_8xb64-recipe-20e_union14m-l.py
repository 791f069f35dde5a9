# 20 epochs by the recipe, in place of the authors' augmentation and rates.
_base_ = [
    'transformer_vit-small_8xb64-10e_union14m-l.py',
    '../../_base_/recipe.py',
]

train_pipeline = _base_.train_pipeline
train_pipeline[1].transforms = [
    *train_pipeline[1].transforms[:2], *_base_.recipe_augmentation,
    train_pipeline[1].transforms[-1]
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
optim_wrapper = dict(paramwise_cfg=_base_.recipe_paramwise_cfg)
custom_hooks = _base_.recipe_hooks
train_cfg = dict(max_epochs=20)
