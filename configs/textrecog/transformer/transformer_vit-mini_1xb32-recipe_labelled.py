# The recognizer of the size of lmim_vit-mini by the recipe, on one's own
# labelled words of up to 25 characters.
_base_ = [
    'transformer_vit-mini_1xb64_rendered-labels.py',
    '../../_base_/datasets/labelled.py',
    '../../_base_/recipe.py',
]

model = dict(
    decoder=dict(
        max_seq_len=1 + 25 + 1, module_loss=dict(on_unknown='map')))

train_pipeline = [
    *_base_.train_pipeline[:-1], *_base_.recipe_augmentation,
    _base_.train_pipeline[-1]
]
_base_.labelled_textrecog_train.pipeline = train_pipeline
_base_.labelled_textrecog_test.pipeline = _base_.test_pipeline
train_dataloader = dict(
    batch_size=32,
    dataset=dict(_delete_=True, **_base_.labelled_textrecog_train))
val_dataloader = dict(
    dataset=dict(_delete_=True, **_base_.labelled_textrecog_test))
test_dataloader = val_dataloader
val_evaluator = dict(dataset_prefixes=['labelled'])
test_evaluator = val_evaluator

optim_wrapper = dict(
    optimizer=dict(lr=1e-3), paramwise_cfg=_base_.recipe_paramwise_cfg)
auto_scale_lr = dict(base_batch_size=32)
custom_hooks = _base_.recipe_hooks
train_cfg = dict(max_epochs=40)
