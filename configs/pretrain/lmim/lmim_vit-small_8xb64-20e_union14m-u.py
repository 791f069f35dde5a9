# The paper's best row.
_base_ = 'lmim_vit-small_8xb64-10e_union14m-u.py'

train_cfg = dict(max_epochs=20)
