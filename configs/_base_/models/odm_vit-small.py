# ODM of word crops. Where paper and code differ, or a choice is ours, one
# option each:
#   pictures without a prompt               model.prompt_drop=1.0: all
#   prompts that are another word           model.prompt_swap=0.
#   L_ocr, by an encoder that can read      model.perceptual_head=dict(
#       type='OCRPerceptualHead', encoder=..., checkpoint=FILE)
#   L_ocr of the paper, not of the code     model.perceptual_head.distance=l1
#   no L_con                                model.contrast_head=None
#   words drawn level count less            model.straight_weight=0.5
_base_ = 'text_vit.py'

model = dict(
    type='ODM',
    backbone=dict(
        type='TextViT', arch='small', img_size=(32, 128), patch_size=4),
    text_encoder=dict(
        type='TextPromptEncoder',
        dictionary=dict(_base_.english.dictionary, with_end=True,
                        with_padding=True, with_unknown=True),
        out_dims=256,
        max_len=25 + 1,
        embed_dims=64,
        num_layers=6,
        num_heads=8),
    neck=dict(
        type='TextPromptedDecoder',
        num_patches=256,
        embed_dims=256,
        num_layers=6,
        num_heads=8),
    head=dict(
        type='DestylizationHead',
        in_dims=256,
        patch_size=(4, 4),
        grid=(32 // 4, 128 // 4)),
    perceptual_head=None,
    contrast_head=dict(type='ImageTextContrastiveHead'),
    prompt_drop=0.5,
    prompt_swap=0.1,
    straight_weight=1.)
