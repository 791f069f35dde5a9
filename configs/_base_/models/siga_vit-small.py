# SIGA's glyph attention as a head of the paper's recognizer, in training
# alone. Where paper and code differ, or a choice is ours, one option of
# model.glyph_head each:
#   L_cor of products, mean of the batch    alignment.product=plain
#   L_seg tells text from background        glyph.binary=True
#   masks the wrong way round are kept      inverted_from=None
#   glyphs in what the decoder attends to   fused=True
_base_ = 'transformer_vit-small.py'

model = dict(
    type='GlyphAttentionRecognizer',
    glyph_head=dict(
        type='GlyphAttentionHead',
        segmentation=dict(
            taps=(2, 4, 6),
            embed_dims=128,
            tap_dims=64,
            out_dims=128,
            strides=((2, 2), (2, 2))),
        scales=(0, 1),
        letters=False,
        alignment=dict(type='ImplicitAlignmentLoss', product='squared'),
        glyph=dict(type='GlyphLoss', binary=False),
        align_weight=0.15,
        inverted_from=20_000 / 1_400_000,
        fused=False))
