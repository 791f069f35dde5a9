# How labelled pictures are read for fine-tuning and evaluation; a run adds
# `dataset`. Augmentation as ABINet's: geometry for every second picture,
# deterioration and colour for every fourth.
meta_keys = ('img_path', 'ori_shape', 'img_shape', 'valid_ratio',
              'sample_idx')

augmentation = [
    dict(
        type='RandomApply',
        prob=0.5,
        transforms=[
            dict(
                type='RandomChoice',
                transforms=[
                    dict(type='RandomRotate', max_angle=15),
                    dict(
                        type='TorchVisionWrapper',
                        op='RandomAffine',
                        degrees=15,
                        translate=(0.3, 0.3),
                        scale=(0.5, 2.),
                        shear=(-45, 45)),
                    dict(
                        type='TorchVisionWrapper',
                        op='RandomPerspective',
                        distortion_scale=0.5,
                        p=1)
                ])
        ]),
    dict(
        type='RandomApply',
        prob=0.25,
        transforms=[
            dict(type='PyramidRescale'),
            dict(
                type='RandomApply',
                prob=0.5,
                transforms=[
                    dict(
                        type='ImgAugWrapper',
                        args=[
                            dict(
                                cls='AdditiveGaussianNoise', scale=20**0.5)
                        ])
                ]),
            dict(
                type='RandomApply',
                prob=0.5,
                transforms=[
                    dict(
                        type='ImgAugWrapper',
                        args=[dict(cls='MotionBlur', k=[3, 7])])
                ])
        ]),
    dict(
        type='RandomApply',
        prob=0.25,
        transforms=[
            dict(
                type='TorchVisionWrapper',
                op='ColorJitter',
                brightness=0.5,
                saturation=0.5,
                contrast=0.5,
                hue=0.1)
        ])
]

# The data sets have decoded the pictures. Two augmented views of each, as in
# the authors' command: a step sees twice batch_size samples.
train_pipeline = [
    dict(type='SetSampleSeed'),
    dict(
        type='SeveralViews',
        num_views=2,
        transforms=[
            dict(type='LoadOCRAnnotations', with_text=True),
            dict(type='Resize', scale=(128, 32)),
            *augmentation,
            dict(type='PackTextRecogInputs', meta_keys=meta_keys),
        ]),
]
test_pipeline = [
    dict(type='Resize', scale=(128, 32)),
    dict(type='LoadOCRAnnotations', with_text=True),
    dict(type='PackTextRecogInputs', meta_keys=meta_keys),
]

# Several sets, or several paths of one, in proportions of one's own whatever
# their sizes (a run gives `ratios`, one for each):
#   sampler=dict(type='RatioSampler', ratios=[0.5, 0.3, 0.2])
train_dataloader = dict(
    batch_size=64,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    collate_fn=dict(type='collate_views'),
    sampler=dict(type='LeanSampler', shuffle=True))
val_dataloader = dict(
    batch_size=128,
    num_workers=4,
    persistent_workers=True,
    pin_memory=True,
    drop_last=False,
    sampler=dict(type='LeanSampler', shuffle=False))
test_dataloader = val_dataloader

# `tools/test.py --tta`: pictures that are higher than wide are read as they
# are, and turned by a quarter to either side; the surest reading counts, as in
# MAERec. Other pictures are read three times to the same effect.
tta_model = dict(type='EncoderDecoderRecognizerTTAModel')
tta_pipeline = [
    dict(
        type='TestTimeAug',
        transforms=[
            [
                dict(
                    type='ConditionApply',
                    condition="results['img_shape'][0] > "
                    "results['img_shape'][1]",
                    true_transforms=[
                        dict(
                            type='ImgAugWrapper',
                            args=[
                                dict(cls='Rot90', k=quarters, keep_size=False)
                            ])
                    ]) for quarters in (0, 1, 3)
            ],
            *[[step] for step in test_pipeline],
        ])
]

# Word accuracy ignoring case and symbols (WAICS) is the English protocol.
# MMOCR's own pattern keeps the character ^, which is no letter.
english_metrics = [
    dict(
        type='WordMetric',
        mode=['exact', 'ignore_case_symbol'],
        valid_symbol='[^A-Za-z0-9\u4e00-\u9fa5]'),
    dict(
        type='OneMinusNEDMetric',
        valid_symbol='[^A-Za-z0-9\u4e00-\u9fa5]')
]
# The same for words of any script; other figures than WAICS only where labels
# have letters or digits that are not of ASCII.
unicode_metrics = [
    dict(type='UnicodeWordMetric'),
    dict(type='UnicodeOneMinusNEDMetric'),
]
# The protocol of the Chinese benchmark. A config takes it with
#   test_evaluator = dict(metrics=_base_.chinese_metrics, ...)
chinese_metrics = [
    dict(type='ChineseWordMetric'),
    dict(type='ChineseOneMinusNEDMetric'),
]
val_evaluator = dict(
    type='BenchmarkEvaluator',
    metrics=english_metrics,
    dataset_prefixes=None)
test_evaluator = val_evaluator
