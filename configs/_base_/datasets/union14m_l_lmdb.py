# Union14M-L as LMDBs, which are copied and read faster than millions of files:
# the set of union14m_l.py, with the 6,599 images that it shares with the
# Union14M benchmark.
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.
union14m_l_lmdb_data_root = '{{$LMIM_DATA_ROOT:data}}/Union14M-L-LMDB'
union14m_l_lmdb_source = dict(
    homepage='https://github.com/Mountchicken/Union14M',
    obtain='Make it from Union14M-L, each list into an LMDB of its name, with '
    '`python tools/data.py create`.')

union14m_l_lmdb_easy_textrecog_train = dict(
    type='TextImageDataset',
    data_root=union14m_l_lmdb_data_root,
    paths='train_easy',
    with_text=True,
    published=dict(
        name='Union14M-L easy', num_samples=2076161, labels='original'),
    pipeline=None)

union14m_l_lmdb_medium_textrecog_train = dict(
    type='TextImageDataset',
    data_root=union14m_l_lmdb_data_root,
    paths='train_medium',
    with_text=True,
    published=dict(
        name='Union14M-L medium', num_samples=145525, labels='original'),
    pipeline=None)

union14m_l_lmdb_normal_textrecog_train = dict(
    type='TextImageDataset',
    data_root=union14m_l_lmdb_data_root,
    paths='train_normal',
    with_text=True,
    published=dict(
        name='Union14M-L normal', num_samples=218154, labels='original'),
    pipeline=None)

union14m_l_lmdb_hard_textrecog_train = dict(
    type='TextImageDataset',
    data_root=union14m_l_lmdb_data_root,
    paths='train_hard',
    with_text=True,
    published=dict(
        name='Union14M-L hard', num_samples=308025, labels='original'),
    pipeline=None)

union14m_l_lmdb_challenging_textrecog_train = dict(
    type='TextImageDataset',
    data_root=union14m_l_lmdb_data_root,
    paths='train_challenging',
    with_text=True,
    published=dict(
        name='Union14M-L challenging', num_samples=482877, labels='original'),
    pipeline=None)

union14m_l_lmdb_textrecog_val = dict(
    type='TextImageDataset',
    data_root=union14m_l_lmdb_data_root,
    paths='val_annos',
    with_text=True,
    test_mode=True,
    published=dict(name='Union14M-L val', labels='original'),
    pipeline=None)

union14m_l_lmdb_textrecog_train_list = [
    union14m_l_lmdb_easy_textrecog_train,
    union14m_l_lmdb_medium_textrecog_train,
    union14m_l_lmdb_normal_textrecog_train,
    union14m_l_lmdb_hard_textrecog_train,
    union14m_l_lmdb_challenging_textrecog_train,
]
