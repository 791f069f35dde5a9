# Real words again, by an encoder that learns to read them on a CPU: the
# reader's, convolutions before two blocks of a ViT, with its augmentation.
_base_ = 'real_vit-mini.py'

_configs = '{{ fileDirname }}/../'
_stem = (32, 64, 128, 192)
_encoder = {
    'model.backbone.arch': 'shallow',
    'model.backbone.stem': _stem,
    'model.neck.in_dims': 256,
}
_as_mae = {**_encoder, 'model.neck.embed_dims': 128}
_as_lmim = {
    **_encoder,
    'model.neck.out_dims': 256,
    'model.target_generator.encoder.arch': 'shallow',
    'model.target_generator.encoder.stem': _stem,
}
methods = {
    'teacher': dict(options=_as_mae),
    'mae': dict(options=_as_mae),
    'lmim': dict(options=_as_lmim),
    'instance-guidance': dict(options=_as_lmim),
    'lmim-plus': dict(options=_as_lmim),
    'seqclr': dict(
        config=_configs + 'pretrain/seqclr/seqclr_vit-mini_1xb64_rendered.py',
        passes=2,
        options=_encoder),
}
compared = ['scratch', 'mae', 'lmim-plus', 'seqclr']
labels = [
    dict(words=1000, batches=1000),
    dict(words='all', batches=2400),
]
# Without an average of weights, which is for longer runs, and without a
# language, which mends what an encoder lacks.
finetuning = dict(
    config=_configs + 'reader/ctc_reader.py',
    options={
        'custom_hooks': [],
        'model.decoder.postprocessor.language': None
    })
