# The recognizer of the size of lmim_vit-mini, for words of up to 8
# characters.
_base_ = [
    '../../_base_/models/lmim_recognizer_vit-small.py',
    '../../_base_/datasets/rendered.py',
    '../../_base_/recognizer_dataloader.py',
    '../../_base_/schedules/finetune_adamw_cosine.py',
    '../../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(
        arch='mini',
        patch_size=(32, 4),
        pos_embed='grid',
        drop_rate=0.,
        drop_path_rate=0.,
        layer_cfgs=dict(attn_drop_rate=0.),
        init_cfg=dict(
            type='Pretrained',
            checkpoint='work_dirs/lmim_vit-mini_1xb64_rendered/'
            'epoch_4.pth')),
    encoder=dict(in_dims=128, embed_dims=128),
    decoder=dict(
        num_layers=2,
        embed_dims=128,
        num_heads=4,
        head_dims=32,
        feedforward_channels=256,
        drop_rate=0.,
        max_seq_len=8))

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
val_evaluator = dict(dataset_prefixes=['rendered'])
test_evaluator = val_evaluator

optim_wrapper = dict(
    optimizer=dict(lr=2e-3), clip_grad=dict(max_norm=20.))
auto_scale_lr = dict(base_batch_size=64)
train_cfg = dict(max_epochs=10, val_interval=10)
default_hooks = dict(logger=dict(interval=20))
custom_hooks = [dict(type='PlainAttentionHook')]
