# The small recognizer with attention refined by what was read already.
_base_ = 'transformer_vit-mini_1xb64_rendered-labels.py'

model = dict(
    decoder=dict(refinement=dict(grid=(1, 32), coverage='fusion')))
