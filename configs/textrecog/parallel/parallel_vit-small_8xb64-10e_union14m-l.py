# The ViT and a decoder of one block that writes all characters of a
# word at once and reads them over once: two passes whatever its length. The
# block is as wide as PARSeq's, four times the channels of a token.
_base_ = '../transformer/transformer_vit-small_8xb64-10e_union14m-l.py'

model = dict(
    decoder=dict(
        type='ParallelDecoder',
        num_layers=1,
        refine_steps=1,
        feedforward_channels=4 * 512))
