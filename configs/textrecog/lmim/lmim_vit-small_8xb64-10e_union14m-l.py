# Fine-tuning of the paper's recognizer on Union14M-L, measured on the six
# common sets and the Union14M benchmark. Union14M-L as published shares 6,599
# images with its own benchmark.
_base_ = [
    '../../_base_/models/lmim_recognizer_vit-small.py',
    '../../_base_/datasets/union14m_l.py',
    '../../_base_/datasets/common_benchmarks.py',
    '../../_base_/datasets/union14m_benchmark.py',
    '../../_base_/recognizer_dataloader.py',
    '../../_base_/schedules/finetune_adamw_cosine.py',
    '../../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            checkpoint='work_dirs/lmim_vit-small_8xb64-10e_union14m-u/'
            'epoch_10.pth')))

train_dataloader = dict(
    dataset=dict(
        type='ConcatDataset',
        datasets=_base_.union14m_l_textrecog_train_list,
        pipeline=_base_.train_pipeline))
val_dataloader = dict(
    dataset=dict(
        type='ConcatDataset',
        datasets=[_base_.union14m_l_textrecog_val],
        pipeline=_base_.test_pipeline))
val_evaluator = dict(dataset_prefixes=['Union14M-L'])
test_dataloader = dict(
    dataset=dict(
        type='ConcatDataset',
        datasets=_base_.common_benchmarks_textrecog_test_list +
        _base_.union14m_benchmark_textrecog_test_list,
        pipeline=_base_.test_pipeline))
test_evaluator = dict(dataset_prefixes=[
    'IIIT5K', 'SVT', 'IC13_1015', 'IC15_2077', 'SVTP', 'CUTE80', 'Curve',
    'Multi-Oriented', 'Artistic', 'Contextless', 'Salient', 'Multi-Words',
    'General'
])
