# SSM at its published setting: batch 1,152, lr 5e-4, 20 epochs.
_base_ = [
    '../../_base_/models/ssm_vit-small.py',
    '../../_base_/datasets/union14m_u.py',
    '../../_base_/pretrain_dataloader.py',
    '../../_base_/schedules/pretrain_adamw_cosine.py',
    '../../_base_/default_runtime.py',
]

_base_.union14m_u_pretrain.pipeline = _base_.ssm_pipeline
train_dataloader = dict(batch_size=144, dataset=_base_.union14m_u_pretrain)

optim_wrapper = dict(optimizer=dict(lr=5e-4))
auto_scale_lr = dict(base_batch_size=1152)
train_cfg = dict(max_epochs=20)

# Windows of all GPUs are normalised together; on CPUs leave it out.
sync_bn = 'torch'
