# DiG at its published setting, on Union14M-U instead of CC-OCR and synthetic
# words: batch 1,024, lr 6e-4, 10 epochs.
_base_ = [
    '../../_base_/models/dig_vit-small.py',
    '../../_base_/datasets/union14m_u.py',
    '../../_base_/pretrain_dataloader.py',
    '../../_base_/schedules/pretrain_adamw_cosine.py',
    '../../_base_/default_runtime.py',
]

_base_.union14m_u_pretrain.pipeline = _base_.dig_pipeline
train_dataloader = dict(batch_size=128, dataset=_base_.union14m_u_pretrain)

optim_wrapper = dict(
    optimizer=dict(
        lr=1.5e-4 * 1024 / 256, betas=(0.9, 0.999), weight_decay=0.1))
auto_scale_lr = dict(base_batch_size=1024)
# A warm-up of 5,000 batches is half an epoch of this data.
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-4,
        by_epoch=True,
        begin=0,
        end=0.5,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-5,
        by_epoch=True,
        begin=0.5,
        convert_to_iter_based=True)
]

# Windows of all GPUs are normalised together; on CPUs leave it out.
sync_bn = 'torch'
