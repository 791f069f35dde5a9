# Patches of 2x2: 1,024 tokens, about five times the work of patches of 4x4.
_base_ = [
    '../../_base_/models/pixel-mae_vit-small.py',
    '../../_base_/datasets/union14m_u.py',
    '../../_base_/pretrain_dataloader.py',
    '../../_base_/schedules/pretrain_adamw_cosine.py',
    '../../_base_/default_runtime.py',
]

_base_.union14m_u_pretrain.pipeline = _base_.mae_pipeline
train_dataloader = dict(dataset=_base_.union14m_u_pretrain)

optim_wrapper = dict(paramwise_cfg=_base_.pixel_paramwise_cfg)
train_cfg = dict(max_epochs=20)
