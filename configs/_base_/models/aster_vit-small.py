# MMOCR's ASTER on the ViT. Nothing is rectified: the ViT reads bent words as
# they are.
_base_ = [
    'mmocr::textrecog/aster/_base_aster.py',
    'text_vit.py',
]

model = dict(
    preprocessor=None,
    backbone=dict(
        _delete_=True,
        type='ViTFeatureMap',
        vit=_base_.vit_small,
        out_channels=512,
        pool='mean'),
    decoder=_base_.english,
    data_preprocessor=_base_.text_preprocessor)

# Those of 32x128 pictures take their place.
del _base_.dictionary, _base_.train_pipeline
del _base_.test_pipeline, _base_.tta_pipeline
