# Why LMIM as published loses at this size, and what mends it: target and
# alignment one by one, on rendered words. `--methods` takes some of them.
_base_ = 'rendered_vit-mini.py'

_lmim = '../pretrain/lmim/lmim_vit-mini_1xb64_rendered.py'
_with_teacher = dict(config=_lmim, teacher='teacher', passes=2)
_norm = 'model.target_generator.norm'
_branches = 'model.branches'

methods = {
    'layer-guidance': dict(_with_teacher, options={_branches: 'guidance'}),
    'instance-both': dict(_with_teacher, options={_norm: 'instance'}),
    'instance-none': dict(
        _with_teacher,
        passes=1,
        options={_branches: 'none', _norm: 'instance'}),
}
compared = [
    'scratch', 'teacher', 'lmim', 'layer-guidance', 'instance-both',
    'lmim-plus', 'instance-none'
]
labels = [dict(words=3000, batches=690)]
