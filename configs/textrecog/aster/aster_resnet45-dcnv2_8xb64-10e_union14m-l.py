# From scratch: no encoder of ours is in it.
_base_ = [
    '../../_base_/models/aster_resnet45-dcnv2.py',
    '../../_base_/textrecog_union14m-l.py',
]

# Offsets learn at a tenth of the rate, as in the paper of DCNv2.
optim_wrapper = dict(paramwise_cfg=dict(dcn_offset_lr_mult=0.1))
