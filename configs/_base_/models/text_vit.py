# What all recognizers share: the encoder, in the paper's size and in that of a
# CPU, pixels as in its pre-training, and English words of up to 25 characters,
# for MMOCR's decoders. `init_cfg` alone says where the encoder comes from.
vit_small = dict(
    type='TextViT',
    arch='small',
    img_size=(32, 128),
    patch_size=4,
    drop_rate=0.1,
    drop_path_rate=0.1,
    layer_cfgs=dict(attn_drop_rate=0.1),
    init_cfg=dict(
        type='Pretrained',
        checkpoint='work_dirs/lmim_vit-small_8xb64-10e_union14m-u/'
        'epoch_10.pth'))

# Differences from vit_small; its feature map has one row and 32 columns.
vit_mini = dict(
    arch='mini',
    patch_size=(32, 4),
    pos_embed='grid',
    drop_rate=0.,
    drop_path_rate=0.,
    layer_cfgs=dict(attn_drop_rate=0.),
    init_cfg=dict(
        checkpoint='work_dirs/lmim_vit-mini_1xb64_rendered/epoch_4.pth'))

text_preprocessor = dict(
    type='TextRecogDataPreprocessor',
    mean=[127.5] * 3,
    std=[127.5] * 3,
    bgr_to_rgb=True)

english = dict(
    dictionary=dict(
        type='Dictionary',
        # In the package, wherever that and this folder lie. MMEngine takes a
        # file with an `import` for a config of its other kind.
        dict_file=__import__('lmim').__path__[0] + '/dicts/english_94.txt'),
    module_loss=dict(letter_case='unchanged'),
    # With the tokens for start and end.
    max_seq_len=1 + 25 + 1)

# A picture gives CTC 32 columns, one for each character and one for the blank
# between two equal ones: words of 25 characters of which no more than 7 equal
# the one before. Others have no path: they are left out of the loss, which
# would be infinite. A label of more than 32 characters is cut.
ctc_loss = dict(letter_case='unchanged', zero_infinity=True)
