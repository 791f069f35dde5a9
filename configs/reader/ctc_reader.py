# The reader: a small recognizer with CTC, for 94 characters and words of up
# to 25. Three of four words are rendered, one is real. For two processes; it
# starts from scratch: behind MAE (mae_reader.py) its loss fell more slowly.
_base_ = [
    '../textrecog/ctc/ctc_vit-mini_1xb64_rendered-labels.py',
    '../_base_/reader.py',
    '../_base_/recipe.py',
]

model = dict(
    backbone=dict(vit=dict(**_base_.encoder, init_cfg=None)),
    decoder=dict(
        in_channels=256,
        module_loss=dict(on_unknown='map'),
        # Made of the words that are rendered, by tools/train_reader.sh.
        postprocessor=dict(
            type='CTCLanguagePostprocessor', language='english')))

# Lighter than the recipe's: most pictures are drawn with effects of their own.
augmentation = [
    dict(
        type='RandomApply',
        prob=0.5,
        transforms=[dict(_base_.recipe_augmentation[0], num_policies=2)]),
    *_base_.recipe_augmentation[1:],
]
train_pipeline = [
    *_base_.train_pipeline[:-1], *augmentation, _base_.train_pipeline[-1]
]
train_dataloader = dict(
    batch_size=32,
    num_workers=1,
    sampler=dict(
        _delete_=True, type='RatioSampler', ratios=[0.75, 0.25],
        epoch_length=64000),
    dataset=dict(
        _delete_=True,
        type='TextImageDataset',
        paths=[_base_.rendered, _base_.words],
        with_text=True,
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=128,
    dataset=dict(
        _delete_=True,
        type='TextImageDataset',
        paths=_base_.held_out,
        with_text=True,
        test_mode=True,
        pipeline=_base_.test_pipeline))
test_dataloader = dict(
    batch_size=128,
    dataset=dict(
        _delete_=True,
        type='ConcatDataset',
        datasets=[
            dict(
                type='TextImageDataset',
                paths=_base_.real + f'test/{name}',
                with_text=True,
                test_mode=True,
                published=dict(name=name.upper(), num_samples=number),
                pipeline=_base_.test_pipeline) for name, number in
            (('iiit5k', 3000), ('svt', 647), ('ic13_1095', 1095),
             ('ic15_2077', 2077))
        ]))
val_evaluator = dict(dataset_prefixes=['held-out'])
test_evaluator = dict(
    dataset_prefixes=['IIIT5K', 'SVT', 'IC13_1095', 'IC15_2077'])

optim_wrapper = dict(
    optimizer=dict(lr=1e-3), clip_grad=dict(max_norm=5.))
auto_scale_lr = dict(base_batch_size=64)
custom_hooks = _base_.recipe_hooks
train_cfg = dict(max_epochs=14, val_interval=1)
