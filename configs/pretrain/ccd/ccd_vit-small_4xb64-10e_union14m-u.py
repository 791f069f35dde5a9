# CCD at its published setting, on Union14M-U instead of three passes over
# MJSynth, SynthText and OCR-CC: 98 million pictures, as many as these, batch
# 256, lr 5e-4. Gradients are clipped together, and there one by one.
_base_ = [
    '../../_base_/models/ccd_vit-small.py',
    '../../_base_/datasets/union14m_u.py',
    '../../_base_/pretrain_dataloader.py',
    '../../_base_/schedules/pretrain_adamw_cosine.py',
    '../../_base_/default_runtime.py',
]

_base_.union14m_u_pretrain.pipeline = _base_.ccd_pipeline
train_dataloader = dict(batch_size=64, dataset=_base_.union14m_u_pretrain)

optim_wrapper = dict(
    optimizer=dict(lr=5e-4, betas=(0.9, 0.999), weight_decay=0.04),
    clip_grad=dict(max_norm=3.0))
auto_scale_lr = dict(base_batch_size=256)
# A warm-up of 10 million pictures is an epoch of this data. Weight decay grows
# to 0.4, and stays 0 where it is 0.
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-4,
        by_epoch=True,
        begin=0,
        end=1,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-6,
        by_epoch=True,
        begin=1,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingParamScheduler',
        param_name='weight_decay',
        eta_min_ratio=10,
        by_epoch=True,
        begin=0,
        convert_to_iter_based=True)
]

# Maps of all GPUs are normalised together; on CPUs leave it out.
sync_bn = 'torch'
