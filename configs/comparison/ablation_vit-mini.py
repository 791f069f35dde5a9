# Methods side by side on receipts with 1,000 labels, and LMIM with one option
# changed at a time: --methods takes all that stand here.
_base_ = 'receipts_vit-mini.py'

_configs = '{{ fileDirname }}/../'
_lmim = _configs + 'pretrain/lmim/lmim_vit-mini_1xb64_rendered.py'
_norm = 'model.target_generator.norm'
_branches = 'model.branches'
_align = 'model.alignment_head'
_mask = 'model.backbone.mask.type'
_guidance = {_branches: 'guidance', _norm: 'instance'}
_one_branch = {_branches: 'none', _norm: 'instance'}


def _with_teacher(options, passes=2, **about):
    return dict(config=_lmim, teacher='teacher', passes=passes,
                options=options, **about)


methods = {
    # Target and branches.
    'layer-guidance': _with_teacher({_branches: 'guidance'}),
    'layer-none': _with_teacher({_branches: 'none'}, passes=1),
    'instance-both': _with_teacher({_norm: 'instance'}),
    # From the teacher's weights in place of random ones.
    'warm-start': _with_teacher(_guidance, warm_start=True),
    'instance-layer': _with_teacher(
        {**_one_branch, _norm: 'instance-layer'}, passes=1),
    'whitened': _with_teacher({**_one_branch, _norm: 'whitened'}, passes=1),
    # Alignments that cannot collapse.
    'variance': _with_teacher({_norm: 'instance',
                               f'{_align}.variance_weight': 1.}),
    'infonce': _with_teacher({
        _norm: 'instance', f'{_align}.type': 'ContrastiveAlignmentHead'}),
    # No teacher's run.
    'ema': dict(
        config=_configs +
        'pretrain/lmim/lmim-ema_vit-mini_1xb64_rendered.py'),
    # Two masks for one pass of the teacher.
    'two-masks': _with_teacher({**_one_branch, 'model.num_masks': 2}),
    # Masks.
    'block': _with_teacher({**_one_branch, _mask: 'BlockMasking'}, passes=1),
    'ink': _with_teacher({**_one_branch, _mask: 'InkMasking'}, passes=1),
    'span': _with_teacher({
        **_one_branch, _mask: 'CharacterSpanMasking',
        'train_dataloader.dataset.pipeline.3.meta_keys': ['aspect']},
        passes=1),
}
compared = [
    'scratch', 'mae', 'lmim', 'lmim-plus', 'seqclr', 'dig', 'ssm', 'ccd'
]
labels = [dict(words=1000, batches=800)]
