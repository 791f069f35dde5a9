# LMIM as it teaches small models more (docs/proving_ground.md): no alignment,
# which collapses, and targets without what a picture's tokens share.
_base_ = 'lmim_vit-small_8xb64-10e_union14m-u.py'

model = dict(branches='guidance', target_generator=dict(norm='instance'))
