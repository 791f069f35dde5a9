# SeqCLR where LMIM's paper compares it: ViT-S, 10 epochs of Union14M-U, batch
# 512. SeqCLR's own recipe is for a CNN.
_base_ = [
    '../../_base_/models/seqclr_vit-small.py',
    '../../_base_/datasets/union14m_u.py',
    '../../_base_/pretrain_dataloader.py',
    '../../_base_/schedules/pretrain_adamw_cosine.py',
    '../../_base_/default_runtime.py',
]

_base_.union14m_u_pretrain.pipeline = _base_.seqclr_pipeline
train_dataloader = dict(
    dataset=_base_.union14m_u_pretrain, collate_fn=dict(type='stack_views'))
