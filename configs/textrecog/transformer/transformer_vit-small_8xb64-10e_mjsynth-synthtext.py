# The recognizer fine-tuned on rendered words, half of each batch from MJSynth
# and half from SynthText, as deep-text-recognition-benchmark mixes them.
_base_ = [
    'transformer_vit-small_8xb64-10e_union14m-l.py',
    '../../_base_/datasets/mjsynth_synthtext.py',
]

train_dataloader = dict(
    sampler=dict(
        _delete_=True, type='RatioSampler', ratios=[0.5, 0.5]),
    dataset=dict(datasets=_base_.mjsynth_synthtext_textrecog_train_list))
val_dataloader = dict(
    dataset=dict(datasets=[_base_.common_benchmarks_lmdb_textrecog_val]))
val_evaluator = dict(dataset_prefixes=['validation'])
