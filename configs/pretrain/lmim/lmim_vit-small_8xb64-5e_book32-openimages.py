# The setting of the paper's ablations: 5 epochs on half of the data.
_base_ = 'lmim_vit-small_8xb64-10e_union14m-u.py'

_base_.union14m_u_ablation_pretrain.pipeline = _base_.lmim_pipeline
train_dataloader = dict(dataset=_base_.union14m_u_ablation_pretrain)
train_cfg = dict(max_epochs=5)
