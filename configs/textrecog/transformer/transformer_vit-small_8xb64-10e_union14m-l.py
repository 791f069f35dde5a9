# Fine-tuning of the paper's recognizer on Union14M-L.
_base_ = [
    '../../_base_/models/transformer_vit-small.py',
    '../../_base_/textrecog_union14m-l.py',
]
