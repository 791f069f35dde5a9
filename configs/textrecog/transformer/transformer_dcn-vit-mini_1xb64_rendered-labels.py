# Patches whose pixels move with the word, in the size of a CPU.
_base_ = 'transformer_vit-mini_1xb64_rendered-labels.py'

model = dict(backbone=dict(patch_embed='deformable'))
