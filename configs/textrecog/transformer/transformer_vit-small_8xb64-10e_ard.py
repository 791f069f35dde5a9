# The recognizer fine-tuned on ARD, as to compare with DiG and CCD.
_base_ = [
    'transformer_vit-small_8xb64-10e_union14m-l.py',
    '../../_base_/datasets/ard.py',
]

train_dataloader = dict(
    dataset=dict(datasets=[_base_.ard_textrecog_train]))
val_dataloader = dict(
    dataset=dict(datasets=[_base_.common_benchmarks_lmdb_textrecog_val]))
val_evaluator = dict(dataset_prefixes=['validation'])
