# The same at the size of the paper, for a GPU.
_base_ = 'real_vit-mini.py'

_configs = '{{ fileDirname }}/../'
_mae = _configs + 'pretrain/mae/mae_vit-small_8xb128-20e_union14m-u.py'
_lmim = _configs + 'pretrain/lmim/lmim_vit-small_8xb64-10e_union14m-u.py'
_plus = _configs + (
    'pretrain/lmim/lmim-plus_vit-small_8xb64-10e_union14m-u.py')
_one_gpu = {
    # For batches of 256.
    'optim_wrapper.optimizer.lr': 1.5e-4
}
methods = {
    'teacher': dict(config=_mae),
    'mae': dict(config=_mae),
    'lmim': dict(config=_lmim),
    'instance-guidance': dict(config=_lmim),
    'lmim-plus': dict(config=_plus),
}
pretraining = dict(views=9216000, batch_size=256, options=_one_gpu)
labels = [
    dict(words=100, batches=1500),
    dict(words=1000, batches=3000),
    dict(words='all', batches=8000),
]
finetuning = dict(
    config=_configs + 'textrecog/ctc/ctc_vit-small_8xb64-10e_union14m-l.py',
    batch_size=128,
    options={
        'optim_wrapper.optimizer.lr': 1e-4,
        'optim_wrapper.paramwise_cfg.layer_decay_rate': 0.75
    })
