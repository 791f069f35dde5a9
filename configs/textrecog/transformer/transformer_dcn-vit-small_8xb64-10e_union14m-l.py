# The paper's recognizer with patches whose pixels move with the word. It
# starts as the one without, from the same checkpoint.
_base_ = 'transformer_vit-small_8xb64-10e_union14m-l.py'

model = dict(backbone=dict(patch_embed='deformable'))
