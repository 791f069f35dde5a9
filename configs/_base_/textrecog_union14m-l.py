# Fine-tuning on Union14M-L, measured on the six common sets and the Union14M
# benchmark: what a run needs beside its model. Union14M-L as published shares
# 6,599 images with its own benchmark.
_base_ = [
    'datasets/union14m_l.py',
    'datasets/common_benchmarks.py',
    'datasets/union14m_benchmark.py',
    'recognizer_dataloader.py',
    'schedules/finetune_adamw_cosine.py',
    'default_runtime.py',
]

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
