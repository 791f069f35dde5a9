# Fine-tuning of the paper's recognizer on Union14M-L.
_base_ = [
    '../../_base_/models/lmim_recognizer_vit-small.py',
    '../../_base_/textrecog_union14m-l.py',
]
