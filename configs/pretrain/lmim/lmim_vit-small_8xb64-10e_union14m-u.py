# The paper's pre-training: batch 512, blr 1.5e-4 for each 256 images,
# 10 epochs of which 1 is warm-up.
_base_ = [
    '../../_base_/models/lmim_vit-small.py',
    '../../_base_/datasets/union14m_u.py',
    '../../_base_/pretrain_dataloader.py',
    '../../_base_/schedules/pretrain_adamw_cosine.py',
    '../../_base_/default_runtime.py',
]

_base_.union14m_u_pretrain.pipeline = _base_.lmim_pipeline
train_dataloader = dict(dataset=_base_.union14m_u_pretrain)
