# MMOCR's MASTER on the ViT.
_base_ = [
    'mmocr::textrecog/master/_base_master_resnet31.py',
    'text_vit.py',
]

model = dict(
    backbone=dict(
        _delete_=True,
        type='ViTFeatureMap',
        vit=_base_.vit_small,
        out_channels=512),
    decoder=dict(_base_.english, feat_size=8 * 32),
    data_preprocessor=_base_.text_preprocessor)

# Those of 32x128 pictures take their place.
del _base_.dictionary, _base_.train_pipeline
del _base_.test_pipeline, _base_.tta_pipeline
