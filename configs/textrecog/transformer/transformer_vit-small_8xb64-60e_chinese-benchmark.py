# The paper's recognizer for Chinese, strings of up to 40 characters. With the
# paper's 7,934 characters and 3 tokens it has 43.8 M parameters; another
# dictionary needs no other change.
_base_ = [
    '../../_base_/models/transformer_vit-small.py',
    '../../_base_/datasets/chinese_benchmark.py',
    '../../_base_/recognizer_dataloader.py',
    '../../_base_/schedules/finetune_adamw_cosine.py',
    '../../_base_/default_runtime.py',
]

# One character a line, of the labels that are trained on. Make it there:
#   lmim data dictionary scene_train web_train document_train
#       handwriting_train dictionary.txt
model = dict(
    decoder=dict(
        dictionary=dict(
            dict_file=_base_.chinese_benchmark_data_root + '/dictionary.txt'),
        max_seq_len=40))

train_dataloader = dict(
    dataset=dict(
        type='ConcatDataset',
        datasets=_base_.chinese_benchmark_textrecog_train_list,
        pipeline=_base_.train_pipeline))
val_dataloader = dict(
    dataset=dict(
        type='ConcatDataset',
        datasets=_base_.chinese_benchmark_textrecog_val_list,
        pipeline=_base_.test_pipeline))
test_dataloader = dict(
    dataset=dict(
        type='ConcatDataset',
        datasets=_base_.chinese_benchmark_textrecog_test_list,
        pipeline=_base_.test_pipeline))
val_evaluator = dict(
    metrics=_base_.chinese_metrics,
    dataset_prefixes=['Scene', 'Web', 'Document', 'Handwriting'])
test_evaluator = val_evaluator

train_cfg = dict(max_epochs=60)
