# The paper's recognizer, whose decoder subtracts from its attention what it
# has read already (CoMER, ECCV 2022). For a recognizer that is trained, with
# load_from: refinement=dict(..., zero_init=True) starts where it stands.
_base_ = 'transformer_vit-small_8xb64-10e_union14m-l.py'

model = dict(
    decoder=dict(refinement=dict(grid=(8, 32), coverage='fusion')))
# Statistics of its batch norm are of all GPUs.
sync_bn = 'torch'
