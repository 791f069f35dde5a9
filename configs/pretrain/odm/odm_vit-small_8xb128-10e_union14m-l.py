# ODM of labelled word crops, whose letters are not known in their places: the
# target is the label, drawn level. Batch 1,024; the rate is DiG's.
_base_ = [
    '../../_base_/models/odm_vit-small.py',
    '../../_base_/datasets/union14m_l.py',
    '../../_base_/pretrain_dataloader.py',
    '../../_base_/schedules/pretrain_adamw_cosine.py',
    '../../_base_/default_runtime.py',
]

train_dataloader = dict(
    batch_size=128,
    dataset=dict(
        type='ConcatDataset',
        datasets=_base_.union14m_l_textrecog_train_list,
        pipeline=_base_.odm_pipeline))

optim_wrapper = dict(optimizer=dict(lr=1.5e-4 * 1024 / 256, weight_decay=0.1))
auto_scale_lr = dict(base_batch_size=1024)
