# MMOCR's CRNN on the ViT.
_base_ = [
    'mmocr::textrecog/crnn/_base_crnn_mini-vgg.py',
    'text_vit.py',
]

model = dict(
    backbone=dict(
        _delete_=True,
        type='ViTFeatureMap',
        vit=_base_.vit_small,
        out_channels=512,
        pool='mean'),
    decoder=dict(_base_.english, module_loss=_base_.ctc_loss),
    data_preprocessor=_base_.text_preprocessor)

# Those of 32x128 pictures take their place.
del _base_.dictionary, _base_.train_pipeline
del _base_.test_pipeline, _base_.tta_pipeline
