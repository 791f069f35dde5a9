# The same at the size of the paper, for a GPU, and as many words as fit:
#   lmim data render data/rendered --train 200000 --test 2000
# tools/gpu_report.sh runs it within the minutes that it has left.
_base_ = 'rendered_vit-mini.py'

_configs = '{{ fileDirname }}/../'
_mae = _configs + 'pretrain/mae/mae_vit-small_8xb128-20e_union14m-u.py'
_lmim = _configs + 'pretrain/lmim/lmim_vit-small_8xb64-10e_union14m-u.py'
_plus = _configs + (
    'pretrain/lmim/lmim-plus_vit-small_8xb64-10e_union14m-u.py')
methods = dict(
    _delete_=True,
    scratch=dict(),
    teacher=dict(config=_mae, share=1 / 3),
    mae=dict(config=_mae),
    lmim={
        'config': _lmim,
        'teacher': 'teacher',
        'passes': 2
    },
    **{'lmim-plus': dict(config=_plus, teacher='teacher')})
compared = ['mae', 'lmim-plus', 'lmim', 'scratch']
pretraining = dict(
    views=2048000,
    batch_size=512,
    options={'optim_wrapper.optimizer.lr': 3e-4})
labels = [dict(words='all', batches=2000)]
seeds = [0]
finetuning = dict(
    _delete_=True,
    config=_configs + 'textrecog/ctc/ctc_vit-small_8xb64-10e_union14m-l.py',
    batch_size=256,
    options={
        'model.decoder.dictionary.with_unknown': True,
        'optim_wrapper.optimizer.lr': 2e-4,
        'optim_wrapper.paramwise_cfg.layer_decay_rate': 0.75
    })
