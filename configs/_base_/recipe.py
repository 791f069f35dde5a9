# A recipe for fine-tuning that is worth more than most changes of the
# pre-training; each part stands alone:
#   rates that fall from the last block to the first, by 0.75 a block
#       (LMIM's and DiG's code; BEiT, Bao et al. 2022)
#   augmentation as PARSeq's (Bautista and Atienza, ECCV 2022): three of
#       RandAugment's operations at half strength, and a little blur and noise
#   the average of the weights over the updates (EMA), which is what is saved
# A config takes them by
#   optim_wrapper = dict(paramwise_cfg=_base_.recipe_paramwise_cfg)
#   custom_hooks = _base_.recipe_hooks
# and the augmentation in its pipeline, behind Resize.
recipe_paramwise_cfg = dict(flat_decay_mult=0., layer_decay_rate=0.75)
recipe_hooks = [dict(type='EMAHook', momentum=0.002)]
recipe_augmentation = [
    dict(
        type='mmpretrain.RandAugment',
        num_policies=3,
        total_level=10,
        magnitude_level=5,
        magnitude_std=0.5,
        policies=[
            dict(type='mmpretrain.AutoContrast'),
            dict(type='mmpretrain.Equalize'),
            dict(type='mmpretrain.Invert'),
            dict(type='mmpretrain.Rotate', magnitude_range=(0, 30)),
            dict(type='mmpretrain.Posterize', magnitude_range=(4, 0)),
            dict(type='mmpretrain.Solarize', magnitude_range=(256, 0)),
            dict(type='mmpretrain.ColorTransform', magnitude_range=(0, 0.9)),
            dict(type='mmpretrain.Contrast', magnitude_range=(0, 0.9)),
            dict(type='mmpretrain.Brightness', magnitude_range=(0, 0.9)),
            *(dict(
                type='mmpretrain.Shear',
                magnitude_range=(0, 0.3),
                direction=direction) for direction in ('horizontal',
                                                       'vertical')),
            dict(
                type='mmpretrain.Translate',
                magnitude_range=(0, 0.1),
                direction='horizontal'),
            dict(
                type='mmpretrain.Translate',
                magnitude_range=(0, 0.3),
                direction='vertical'),
        ]),
    # Not among the policies: mmpretrain's blur fails with today's Pillow.
    *(dict(
        type='RandomApply',
        prob=0.2,
        transforms=[dict(type='ImgAugWrapper', args=[operation])])
      for operation in (dict(cls='GaussianBlur', sigma=[0.1, 2.]),
                        dict(cls='AdditivePoissonNoise', lam=[0., 30.]))),
]
