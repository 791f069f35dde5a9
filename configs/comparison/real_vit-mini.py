# Real words: what the public training sets of IIIT5K, SVT, IC03 and IC15
# teach from scratch and after pre-training, at 100, 1,000 and all labels.
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.
_base_ = '_base_/vit-mini.py'

root = '{{$LMIM_DATA_ROOT:data}}/real/'
train = [
    root + 'train/iiit5k', root + 'train/svt', root + 'train/ic15',
    root + 'train/ic03_clean'
]
unlabelled = [root + 'unlabelled', *train]
labelled = train
tests = dict(
    IIIT5K=root + 'test/iiit5k',
    SVT=root + 'test/svt',
    # Labels of letters and digits only, as published.
    IC13_1015=dict(path=root + 'test/ic13_1095', words='[A-Za-z0-9]+'),
    IC15_2077=root + 'test/ic15_2077')

labels = [
    dict(words=100, batches=300),
    dict(words=1000, batches=1000),
    dict(words='all', batches=2400),
]
seeds = [0, 1, 2]
# Of case the labels say little: SVT's have none, IIIT5K's some.
finetuning = dict(options={
    'model.decoder.module_loss.letter_case': 'lower'})
