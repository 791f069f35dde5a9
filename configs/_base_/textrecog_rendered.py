# Fine-tuning on rendered words of up to 8 characters, in minutes on a CPU:
# what a run needs beside its model.
_base_ = [
    'datasets/rendered.py',
    'recognizer_dataloader.py',
    'schedules/finetune_adamw_cosine.py',
    'default_runtime.py',
]

# The augmentation is left out, as the task is to be learnt in minutes.
train_pipeline = [
    dict(type='SetSampleSeed'),
    dict(type='LoadOCRAnnotations', with_text=True),
    dict(type='Resize', scale=(128, 32)),
    dict(type='PackTextRecogInputs', meta_keys=_base_.meta_keys),
]
test_pipeline = train_pipeline[1:]

_base_.rendered_textrecog_train.pipeline = train_pipeline
_base_.rendered_textrecog_test.pipeline = test_pipeline
train_dataloader = dict(
    num_workers=1, dataset=_base_.rendered_textrecog_train)
val_dataloader = dict(num_workers=1, dataset=_base_.rendered_textrecog_test)
test_dataloader = val_dataloader
# Words are rendered, or one's own, in any script.
val_evaluator = dict(
    metrics=[*_base_.unicode_metrics, dict(type='RunMetric')],
    dataset_prefixes=['rendered'])
test_evaluator = val_evaluator

optim_wrapper = dict(
    optimizer=dict(lr=2e-3), clip_grad=dict(max_norm=20.))
auto_scale_lr = dict(base_batch_size=64)
train_cfg = dict(max_epochs=10, val_interval=10)
default_hooks = dict(logger=dict(interval=20))
