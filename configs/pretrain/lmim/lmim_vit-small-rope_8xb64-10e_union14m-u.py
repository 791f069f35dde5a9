# Rotary positions in the encoder, as of mae_vit-small-rope. The teacher has
# positions of its own: it stays MAERec's.
_base_ = 'lmim_vit-small_8xb64-10e_union14m-u.py'

model = dict(
    backbone=dict(pos_embed='none', rotary=dict(type='MixedRotary')))
