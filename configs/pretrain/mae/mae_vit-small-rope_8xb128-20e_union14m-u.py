# Rotary positions instead of a table: queries and keys turn by learned angles
# of row and column, for images of any width.
_base_ = 'mae_vit-small_8xb128-20e_union14m-u.py'

model = dict(
    backbone=dict(pos_embed='none', rotary=dict(type='MixedRotary')))
