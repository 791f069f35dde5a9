# Patches of 4x4, 2x2 and single pixels, by one recipe and in equal time: an
# update of smaller patches takes longer, and they make fewer. `passes` and
# `recognizer_passes` are seconds of an update, relative to those of 4x4:
# 0.038, 0.11 and 0.50 s of pre-training (batch 64), 0.048, 0.21 and 1.46 s of
# the recognizer (batch 32), one core of an EPYC in fp32, without reading
# pictures.
# Rendered words as in rendered_vit-mini.py.
_base_ = 'rendered_vit-mini.py'

_configs = '{{ fileDirname }}/../'
_mae = _configs + 'pretrain/mae/pixel-mae_vit-mini-p{}_1xb64_rendered.py'


def _patches(side, passes, recognizer_passes):
    return dict(
        config=_mae.format(side),
        passes=passes,
        recognizer={'model.backbone.vit.patch_size': side},
        recognizer_passes=recognizer_passes)


methods = dict(
    _delete_=True,
    p4=_patches(4, 1, 1),
    p2=_patches(2, 2.9, 4.3),
    p1=_patches(1, 13, 30))
compared = ['p4', 'p2', 'p1']

pretraining = dict(views=256000)
labels = [dict(words='all', batches=8000)]
seeds = [0]
finetuning = dict(
    config=_configs + 'textrecog/ctc/ctc_vit-mini-p2_1xb64_rendered-labels.py',
    batch_size=32)
