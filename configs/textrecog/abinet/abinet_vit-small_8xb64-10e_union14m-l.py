_base_ = [
    '../../_base_/models/abinet_vit-small.py',
    '../../_base_/textrecog_union14m-l.py',
]
