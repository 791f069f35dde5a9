# The paper's recognizer for English: 35.9 M parameters, of which the fixed
# positions are 0.1 M.
dictionary = dict(
    type='Dictionary',
    dict_file='{{ fileDirname }}/../../../'
    'projects/lmim/lmim/dicts/english_94.txt',
    with_end=True,
    with_padding=True,
    with_unknown=True)

model = dict(
    type='EncoderDecoderRecognizer',
    backbone=dict(
        type='TextViT',
        arch='small',
        img_size=(32, 128),
        patch_size=4,
        drop_rate=0.1,
        drop_path_rate=0.1,
        layer_cfgs=dict(attn_drop_rate=0.1)),
    encoder=dict(type='LMIMEncoder', in_dims=384, embed_dims=512),
    decoder=dict(
        type='LMIMDecoder',
        dictionary=dictionary,
        num_layers=6,
        embed_dims=512,
        num_heads=8,
        head_dims=64,
        feedforward_channels=256,
        drop_rate=0.1,
        max_seq_len=25,
        module_loss=dict(type='LMIMModuleLoss'),
        postprocessor=dict(
            type='LMIMPostprocessor',
            ignore_chars=['padding', 'unknown'])),
    data_preprocessor=dict(
        type='TextRecogDataPreprocessor',
        mean=[127.5] * 3,
        std=[127.5] * 3,
        bgr_to_rgb=True))
