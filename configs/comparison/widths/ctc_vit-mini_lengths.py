# Words of 1 to 12 characters, all squeezed or stretched to 32x128 in training,
# and tests on words of 1 to 40: what is gained by reading these as wide as
# they are (docs/finetune.md). Nothing is read from disk; fresh words are drawn
# in each epoch, the same for each encoder. 2,000 updates, about ten
# minutes on one idle core.
#
# Squeezed to 128 as in training, and as wide as their shape says:
#   python tools/train.py configs/comparison/widths/ctc_vit-mini_lengths.py
#   python tools/test.py CONFIG CHECKPOINT
#   python tools/test.py CONFIG CHECKPOINT --width 128-768
_base_ = [
    '../../_base_/models/ctc_vit-small.py',
    '../../_base_/textrecog_rendered.py',
]

model = dict(
    backbone=dict(vit=dict(_base_.vit_mini, init_cfg=None)),
    decoder=dict(in_channels=128))

words = dict(
    type='RenderedTextDataset',
    style='print',
    alphabet='abcdefghijklmnopqrstuvwxyz',
    with_text=True)
# Words of each range, 250 each, in fonts that training has not.
lengths = ((1, 4), (5, 8), (9, 12), (13, 16), (17, 24), (25, 32), (33, 40))

train_dataloader = dict(dataset=dict(
    words, _delete_=True, length=16000, part='train', lengths=(1, 12),
    pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(
    words, _delete_=True, length=500, part='test', lengths=(1, 12),
    pipeline=_base_.test_pipeline))
test_dataloader = dict(
    num_workers=1,
    dataset=dict(
        _delete_=True,
        type='ConcatDataset',
        datasets=[
            dict(words, length=250, part='test', lengths=some,
                 pipeline=_base_.test_pipeline) for some in lengths
        ]))
test_evaluator = dict(
    dataset_prefixes=[f'{least}-{most}' for least, most in lengths])

train_cfg = dict(max_epochs=8, val_interval=8)
