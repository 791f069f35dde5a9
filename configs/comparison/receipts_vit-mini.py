# Words of scanned receipts (SROIE): real pictures that a small model learns to
# read in minutes. LMIM_DATA_ROOT says where the data lies; ./data if it is not
# set.
_base_ = '_base_/vit-mini.py'

root = '{{$LMIM_DATA_ROOT:data}}/receipts/'
unlabelled = root + 'train'
labelled = root + 'train'
# With a letter or digit, as the protocol drops everything else.
tests = dict(
    SROIE=dict(
        path=root + 'test', words='.*[A-Za-z0-9].*'))

labels = [
    dict(words=100, batches=400),
    dict(words=1000, batches=800),
    dict(words='all', batches=1200),
]
seeds = [0, 1, 2]
