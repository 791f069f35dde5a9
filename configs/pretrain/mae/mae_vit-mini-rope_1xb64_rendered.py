# Rotary positions, as of mae_vit-small-rope.
_base_ = 'mae_vit-mini_1xb64_rendered.py'

model = dict(
    backbone=dict(pos_embed='none', rotary=dict(type='MixedRotary')))
