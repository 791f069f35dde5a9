# The paper's recognizer for English: 35.9 M parameters, of which the fixed
# positions are 0.1 M.
_base_ = 'text_vit.py'

model = dict(
    type='EncoderDecoderRecognizer',
    backbone=_base_.vit_small,
    encoder=dict(type='LinearEncoder', in_dims=384, embed_dims=512),
    decoder=dict(
        type='TextTransformerDecoder',
        dictionary=dict(
            _base_.english.dictionary,
            with_end=True,
            with_padding=True,
            with_unknown=True),
        num_layers=6,
        embed_dims=512,
        num_heads=8,
        head_dims=64,
        feedforward_channels=256,
        drop_rate=0.1,
        max_seq_len=25,
        module_loss=dict(type='WordLoss'),
        postprocessor=dict(
            type='WordScorePostprocessor',
            ignore_chars=['padding', 'unknown'])),
    data_preprocessor=_base_.text_preprocessor)
