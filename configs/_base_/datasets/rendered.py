# What `lmim data render data/rendered` draws: a labelled set of
# made-up words; the test part has words and fonts that training has not.
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.
rendered_data_root = '{{$LMIM_DATA_ROOT:data}}/rendered'
rendered_source = dict(obtain='Make it with `lmim data render`.')

rendered_pretrain = dict(
    type='TextImageDataset',
    data_root=rendered_data_root,
    paths='train.lmdb',
    published=dict(name='rendered'),
    pipeline=None)

rendered_textrecog_train = dict(
    type='TextImageDataset',
    data_root=rendered_data_root,
    paths='train.lmdb',
    with_text=True,
    published=dict(name='rendered'),
    pipeline=None)

rendered_textrecog_test = dict(
    type='TextImageDataset',
    data_root=rendered_data_root,
    paths='test.lmdb',
    with_text=True,
    test_mode=True,
    published=dict(name='rendered'),
    pipeline=None)
