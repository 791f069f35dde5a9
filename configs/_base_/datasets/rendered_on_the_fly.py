# Words that are drawn while training runs: fresh ones in each epoch, nothing
# on disk. The test set has words and fonts that training has not, the same
# in each epoch. Words of one's own: words='LIST.txt' (one a line) in place of
# alphabet and lengths; more fonts: fonts=['matplotlib', 'machine', 'FOLDER'].
rendered_on_the_fly_alphabet = (
    'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789')

rendered_on_the_fly_pretrain = dict(
    type='RenderedTextDataset',
    length=100_000,
    part='train',
    alphabet=rendered_on_the_fly_alphabet,
    lengths=(1, 12),
    pipeline=None)

rendered_on_the_fly_textrecog_train = dict(
    type='RenderedTextDataset',
    length=100_000,
    part='train',
    alphabet=rendered_on_the_fly_alphabet,
    lengths=(1, 12),
    with_text=True,
    pipeline=None)

rendered_on_the_fly_textrecog_test = dict(
    type='RenderedTextDataset',
    length=2000,
    part='test',
    alphabet=rendered_on_the_fly_alphabet,
    lengths=(1, 12),
    with_text=True,
    pipeline=None)
