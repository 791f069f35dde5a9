# The ViT and a CTC head, for speed: a word is read in one pass. The
# patches of each column are averaged and classified, 21.5 M parameters in all.
_base_ = 'text_vit.py'

model = dict(
    type='EncoderDecoderRecognizer',
    backbone=dict(type='ViTFeatureMap', vit=_base_.vit_small, pool='mean'),
    decoder=dict(
        type='CRNNDecoder',
        in_channels=384,
        rnn_flag=False,
        # The padding is CTC's blank.
        dictionary=dict(_base_.english.dictionary, with_padding=True),
        module_loss=dict(type='CTCModuleLoss', **_base_.ctc_loss),
        postprocessor=dict(type='CTCWordScorePostprocessor')),
    data_preprocessor=_base_.text_preprocessor)
