# Methods and budgets for models that two CPU cores train in minutes.
_configs = '{{ fileDirname }}/../../'
_mae = _configs + 'pretrain/mae/mae_vit-mini_1xb64_rendered.py'
_lmim = _configs + 'pretrain/lmim/lmim_vit-mini_1xb64_rendered.py'
_plus = _configs + 'pretrain/lmim/lmim-plus_vit-mini_1xb64_rendered.py'

# Each method may pass as many pictures through the encoder that it trains:
# `views`. LMIM's teacher takes its share of them, and LMIM, with two views of
# a picture, the rest.
methods = {
    'scratch': dict(),
    'teacher': dict(config=_mae, share=1 / 3),
    'mae': dict(config=_mae),
    'lmim': dict(config=_lmim, teacher='teacher', passes=2),
    # Two branches without the alignment, and instance-normed targets.
    'instance-guidance': dict(
        config=_lmim,
        teacher='teacher',
        passes=2,
        options={
            'model.branches': 'guidance',
            'model.target_generator.norm': 'instance'
        }),
    # One branch, and targets without what a picture's tokens share.
    'lmim-plus': dict(config=_plus, teacher='teacher'),
    # Of SSM's pictures the encoder sees one, of the others' two views, beside
    # what a moving average sees; of HSG's the masked one and two whole views.
    **{name: dict(
        config=_configs + f'pretrain/{name}/{name}_vit-mini_1xb64_rendered.py',
        passes=passes) for name, passes in (
            ('seqclr', 2), ('dig', 2), ('ssm', 1), ('ccd', 2), ('hsg', 3))},
    # It draws pairs of words of its own, with what they say: an advantage that
    # the others do not have. What fine-tunes is the content half.
    'darling': dict(
        config=_configs +
        'pretrain/darling/darling_vit-mini_1xb64_rendered.py',
        passes=2,
        own_data=True,
        encoder=dict(type='ContentViT', padded=True)),
    # Of pictures with their labels, whose words are drawn level: no prompt,
    # so that the encoder has to read; and half of them with one.
    **{name: dict(
        config=_configs + 'pretrain/odm/odm_vit-mini_1xb64_rendered.py',
        options={'model.prompt_drop': drop})
        for name, drop in (('odm', 1.), ('odm-prompt', 0.5))},
}
compared = ['scratch', 'mae', 'lmim', 'lmim-plus']

# 750 batches of the teacher, and 750 of LMIM.
pretraining = dict(
    views=144000,
    batch_size=64,
    options={'default_hooks.pictures.interval': 1000})
finetuning = dict(
    config=_configs + 'textrecog/ctc/ctc_vit-mini_1xb64_rendered-labels.py',
    batch_size=64,
    options={'model.decoder.dictionary.with_unknown': True})
