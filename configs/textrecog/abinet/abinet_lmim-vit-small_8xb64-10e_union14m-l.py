_base_ = [
    '../../_base_/models/abinet_lmim-vit-small.py',
    '../../_base_/textrecog_union14m-l.py',
]
