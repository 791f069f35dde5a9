# What `python tools/data.py render data/rendered` draws: a labelled set of
# made-up words; the test part has words and fonts that training has not.
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.
rendered_data_root = '{{$LMIM_DATA_ROOT:data}}/rendered'

rendered_pretrain = dict(
    type='UnlabelledTextDataset',
    data_root=rendered_data_root,
    paths='train.lmdb',
    pipeline=None)

rendered_textrecog_train = dict(
    type='LabelledLMDBDataset',
    data_root=rendered_data_root,
    paths='train.lmdb',
    pipeline=None)

rendered_textrecog_test = dict(
    type='LabelledLMDBDataset',
    data_root=rendered_data_root,
    paths='test.lmdb',
    test_mode=True,
    pipeline=None)
