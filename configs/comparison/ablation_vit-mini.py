# Why LMIM as published loses at this size, and what helps: one option at a
# time, on rendered words. `--methods` takes others than the main table's.
_base_ = 'rendered_vit-mini.py'

_configs = '{{ fileDirname }}/../'
_lmim = _configs + 'pretrain/lmim/lmim_vit-mini_1xb64_rendered.py'
_norm = 'model.target_generator.norm'
_branches = 'model.branches'
_align = 'model.alignment_head'
_mask = 'model.backbone.mask.type'
_plus = {_branches: 'guidance', _norm: 'instance'}


def _with_teacher(options, passes=2):
    return dict(
        config=_lmim, teacher='teacher', passes=passes, options=options)


methods = {
    # Target and branches.
    'layer-guidance': _with_teacher({_branches: 'guidance'}),
    'instance-both': _with_teacher({_norm: 'instance'}),
    'instance-none': _with_teacher(
        {_branches: 'none', _norm: 'instance'}, passes=1),
    'instance-layer': _with_teacher({**_plus, _norm: 'instance-layer'}),
    'whitened': _with_teacher({**_plus, _norm: 'whitened'}),
    # Alignments that cannot collapse.
    'variance': _with_teacher({_norm: 'instance',
                               f'{_align}.variance_weight': 1.}),
    'infonce': _with_teacher({
        _norm: 'instance', f'{_align}.type': 'ContrastiveAlignmentHead'}),
    # No teacher's run.
    'ema': dict(
        config=_configs + 'pretrain/lmim/lmim-ema_vit-mini_1xb64_rendered.py',
        passes=2),
    # Two masks for one pass of teacher and guidance.
    'two-masks': _with_teacher({**_plus, 'model.num_masks': 2}, passes=3),
    # Masks.
    'block': _with_teacher({**_plus, _mask: 'BlockMasking'}),
    'ink': _with_teacher({**_plus, _mask: 'InkMasking'}),
    'span': _with_teacher({
        **_plus, _mask: 'CharacterSpanMasking',
        'train_dataloader.dataset.pipeline.3.meta_keys': ['aspect']}),
    # Another method.
    'seqclr': dict(
        config=_configs + 'pretrain/seqclr/seqclr_vit-mini_1xb64_rendered.py',
        passes=2),
}
compared = [
    'scratch', 'teacher', 'lmim', 'layer-guidance', 'instance-both',
    'lmim-plus', 'instance-none'
]
labels = [dict(words=3000, batches=690)]
