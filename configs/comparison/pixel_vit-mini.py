# Patches of 4x4, 2x2 and single pixels, by one recipe and in equal time: an
# update of smaller patches takes longer, and they make fewer. `passes` and
# `recognizer_passes` are measured seconds of an update, relative to those of
# 4x4, on one core of an EPYC. Rendered words as in rendered_vit-mini.py.
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
    p2=_patches(2, 2, 4),
    p1=_patches(1, 8, 30))
compared = ['p4', 'p2', 'p1']

pretraining = dict(views=128000)
labels = [dict(words='all', batches=4000)]
seeds = [0]
finetuning = dict(
    config=_configs + 'textrecog/ctc/ctc_vit-mini-p2_1xb64_rendered-labels.py',
    batch_size=32)
