# Rendered words, that anybody can make: dark print of 3 to 5 letters,
#   lmim data render data/rendered --train 16000 --test 500 --style print
#   --min-length 3 --max-length 5
# The same pictures with and without their labels; words and fonts of the test
# are others. LMIM_DATA_ROOT says where the data lies; ./data if it is not set.
_base_ = '_base_/vit-mini.py'

_configs = '{{ fileDirname }}/../'
root = '{{$LMIM_DATA_ROOT:data}}/rendered/'
unlabelled = root + 'train.lmdb'
labelled = root + 'train.lmdb'
tests = dict(rendered=root + 'test.lmdb')

compared = [
    'scratch', 'mae', 'lmim', 'lmim-plus', 'seqclr', 'dig', 'ssm', 'ccd'
]
labels = [
    dict(words=1000, batches=690),
    dict(words=3000, batches=690),
]
seeds = [0, 1, 2]
# The paper's recognizer, which writes one character after the other.
finetuning = dict(
    config=_configs + 'textrecog/transformer/'
    'transformer_vit-mini_1xb64_rendered-labels.py',
    options={'_delete_': True})
