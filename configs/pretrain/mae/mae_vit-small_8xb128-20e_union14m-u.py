# The teacher, as MAERec pre-trains it: batch 1,024, blr 1.5e-4 for each 256
# images, 20 epochs of which 2 are warm-up.
_base_ = [
    '../../_base_/models/mae_vit-small.py',
    '../../_base_/datasets/union14m_u.py',
    '../../_base_/pretrain_dataloader.py',
    '../../_base_/schedules/pretrain_adamw_cosine.py',
    '../../_base_/default_runtime.py',
]

_base_.union14m_u_pretrain.pipeline = _base_.mae_pipeline
train_dataloader = dict(batch_size=128, dataset=_base_.union14m_u_pretrain)

optim_wrapper = dict(optimizer=dict(lr=1.5e-4 * 1024 / 256))
auto_scale_lr = dict(base_batch_size=1024)
train_cfg = dict(max_epochs=20)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-4,
        by_epoch=True,
        begin=0,
        end=2,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        eta_min=0.,
        by_epoch=True,
        begin=2,
        convert_to_iter_based=True)
]
