# MMOCR's NRTR on the ViT.
_base_ = [
    'mmocr::textrecog/nrtr/_base_nrtr_resnet31.py',
    'text_vit.py',
]

model = dict(
    backbone=dict(
        _delete_=True,
        type='ViTFeatureMap',
        vit=_base_.vit_small,
        out_channels=512),
    decoder=_base_.english,
    data_preprocessor=_base_.text_preprocessor)

# Those of 32x128 pictures take their place.
del _base_.dictionary, _base_.train_pipeline
del _base_.test_pipeline, _base_.tta_pipeline
