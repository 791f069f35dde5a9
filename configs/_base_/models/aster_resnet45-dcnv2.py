# MMOCR's ASTER with its own ResNet-45: a deformable convolution (v2) after
# each of the last three stages follows bent words. Where mmcv is not compiled,
# lmim computes it.
_base_ = [
    'mmocr::textrecog/aster/_base_aster.py',
    'text_vit.py',
]

model = dict(
    backbone=dict(
        plugins=[
            dict(
                cfg=dict(
                    type='ConvModule',
                    kernel_size=3,
                    padding=1,
                    conv_cfg=dict(type='DCNv2'),
                    norm_cfg=dict(type='BN')),
                stages=(False, False, True, True, True),
                position='after_stage')
        ],
        init_cfg=[
            dict(type='Kaiming', layer='Conv2d'),
            dict(type='Constant', val=1, layer='BatchNorm2d'),
            # The first of these draws offsets too, which begin at 0.
            dict(type='ZeroOffset'),
        ]),
    decoder=_base_.english,
    data_preprocessor=_base_.text_preprocessor)

# Those of 32x128 pictures take their place.
del _base_.dictionary, _base_.train_pipeline
del _base_.test_pipeline, _base_.tta_pipeline
