# MMOCR's SVTR with the ViT in the place of its own encoder. Nothing is
# rectified: the ViT reads bent words as they are.
_base_ = [
    'mmocr::textrecog/svtr/_base_svtr-tiny.py',
    'text_vit.py',
]

model = dict(
    preprocessor=None,
    backbone=dict(type='ViTFeatureMap', vit=_base_.vit_small, pool='mean'),
    encoder=dict(
        _delete_=True,
        type='ChannelReductionEncoder',
        in_channels=384,
        out_channels=192),
    decoder=dict(_base_.english, module_loss=_base_.ctc_loss),
    data_preprocessor=_base_.text_preprocessor)

# Those of 32x128 pictures take their place.
del _base_.dictionary, _base_.train_pipeline
del _base_.test_pipeline, _base_.tta_pipeline
