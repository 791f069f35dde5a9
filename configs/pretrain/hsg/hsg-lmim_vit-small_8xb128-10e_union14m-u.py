# HSG's groups beside LMIM, at LMIM's setting with twice its batch.
_base_ = [
    '../../_base_/models/hsg_vit-small.py',
    '../../_base_/datasets/union14m_u.py',
    '../../_base_/pretrain_dataloader.py',
    '../../_base_/schedules/pretrain_adamw_cosine.py',
    '../../_base_/default_runtime.py',
]

_base_.union14m_u_pretrain.pipeline = _base_.hsg_pipeline
train_dataloader = dict(batch_size=128, dataset=_base_.union14m_u_pretrain)

optim_wrapper = dict(optimizer=dict(lr=1.5e-4 * 1024 / 256))
auto_scale_lr = dict(base_batch_size=1024)
