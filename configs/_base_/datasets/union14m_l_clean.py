# Union14M-L without the images that it shares with the Union14M benchmark, in
# two makes.
# 1. Union14M-L-Filter, which OpenOCR hands out as LMDBs: 3,224,143 images
#    (counts: https://github.com/Topdu/OpenOCR, docs/svtrv2.md).
# 2. One's own, by `python tools/data.py dedup`. It finds near duplicates too,
#    so that the counts need not be the published ones.
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.
union14m_l_filtered_data_root = (
    '{{$LMIM_DATA_ROOT:data}}/Union14M-L-LMDB-Filtered')
union14m_l_filtered_source = dict(
    homepage='https://github.com/Topdu/OpenOCR/blob/main/docs/svtrv2.md',
    obtain='Download the LMDB archives of Union14M-L-Filter from the links on '
    'the home page.')
union14m_l_clean_data_root = '{{$LMIM_DATA_ROOT:data}}/Union14M-L-clean'
union14m_l_clean_source = dict(
    homepage='https://github.com/Mountchicken/Union14M',
    obtain='Make it from Union14M-L and its benchmark, part by part, with '
    '`python tools/data.py dedup`.')

union14m_l_filtered_easy_textrecog_train = dict(
    type='TextImageDataset',
    data_root=union14m_l_filtered_data_root,
    paths='filter_train_easy',
    with_text=True,
    published=dict(
        name='Union14M-L-Filter easy', num_samples=2073822, labels='original'),
    pipeline=None)

union14m_l_filtered_medium_textrecog_train = dict(
    type='TextImageDataset',
    data_root=union14m_l_filtered_data_root,
    paths='filter_train_medium',
    with_text=True,
    published=dict(
        name='Union14M-L-Filter medium',
        num_samples=144677,
        labels='original'),
    pipeline=None)

union14m_l_filtered_normal_textrecog_train = dict(
    type='TextImageDataset',
    data_root=union14m_l_filtered_data_root,
    paths='filter_train_normal',
    with_text=True,
    published=dict(
        name='Union14M-L-Filter normal',
        num_samples=217070,
        labels='original'),
    pipeline=None)

union14m_l_filtered_hard_textrecog_train = dict(
    type='TextImageDataset',
    data_root=union14m_l_filtered_data_root,
    paths='filter_train_hard',
    with_text=True,
    published=dict(
        name='Union14M-L-Filter hard', num_samples=306771, labels='original'),
    pipeline=None)

union14m_l_filtered_challenging_textrecog_train = dict(
    type='TextImageDataset',
    data_root=union14m_l_filtered_data_root,
    paths='filter_train_challenging',
    with_text=True,
    published=dict(
        name='Union14M-L-Filter challenging',
        num_samples=481803,
        labels='original'),
    pipeline=None)

union14m_l_filtered_textrecog_train_list = [
    union14m_l_filtered_easy_textrecog_train,
    union14m_l_filtered_medium_textrecog_train,
    union14m_l_filtered_normal_textrecog_train,
    union14m_l_filtered_hard_textrecog_train,
    union14m_l_filtered_challenging_textrecog_train,
]

union14m_l_clean_easy_textrecog_train = dict(
    type='TextImageDataset',
    data_root=union14m_l_clean_data_root,
    paths='easy.lmdb',
    with_text=True,
    published=dict(name='Union14M-L clean easy', labels='original'),
    pipeline=None)

union14m_l_clean_medium_textrecog_train = dict(
    type='TextImageDataset',
    data_root=union14m_l_clean_data_root,
    paths='medium.lmdb',
    with_text=True,
    published=dict(name='Union14M-L clean medium', labels='original'),
    pipeline=None)

union14m_l_clean_normal_textrecog_train = dict(
    type='TextImageDataset',
    data_root=union14m_l_clean_data_root,
    paths='normal.lmdb',
    with_text=True,
    published=dict(name='Union14M-L clean normal', labels='original'),
    pipeline=None)

union14m_l_clean_hard_textrecog_train = dict(
    type='TextImageDataset',
    data_root=union14m_l_clean_data_root,
    paths='hard.lmdb',
    with_text=True,
    published=dict(name='Union14M-L clean hard', labels='original'),
    pipeline=None)

union14m_l_clean_challenging_textrecog_train = dict(
    type='TextImageDataset',
    data_root=union14m_l_clean_data_root,
    paths='challenging.lmdb',
    with_text=True,
    published=dict(name='Union14M-L clean challenging', labels='original'),
    pipeline=None)

union14m_l_clean_textrecog_train_list = [
    union14m_l_clean_easy_textrecog_train,
    union14m_l_clean_medium_textrecog_train,
    union14m_l_clean_normal_textrecog_train,
    union14m_l_clean_hard_textrecog_train,
    union14m_l_clean_challenging_textrecog_train,
]
