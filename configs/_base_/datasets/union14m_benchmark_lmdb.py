# The Union14M benchmark as the LMDBs that OpenOCR hands out. Avg is the plain
# mean over the seven, W-Avg is weighted by their sample counts.
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.
union14m_benchmark_lmdb_data_root = '{{$LMIM_DATA_ROOT:data}}/u14m'
union14m_benchmark_lmdb_source = dict(
    homepage='https://github.com/Topdu/OpenOCR/blob/main/docs/svtrv2.md',
    obtain='Download the LMDB archives of Union14M-L-Benchmark from the links '
    'on the home page.')

union14m_benchmark_lmdb_curve_textrecog_test = dict(
    type='TextImageDataset',
    data_root=union14m_benchmark_lmdb_data_root,
    paths='curve',
    with_text=True,
    test_mode=True,
    published=dict(
        name='Curve',
        num_samples=2426,
        labels='original',
        benchmark='Union14M benchmark'),
    pipeline=None)

union14m_benchmark_lmdb_multi_oriented_textrecog_test = dict(
    type='TextImageDataset',
    data_root=union14m_benchmark_lmdb_data_root,
    paths='multi_oriented',
    with_text=True,
    test_mode=True,
    published=dict(
        name='Multi-Oriented',
        num_samples=1369,
        labels='original',
        benchmark='Union14M benchmark'),
    pipeline=None)

union14m_benchmark_lmdb_artistic_textrecog_test = dict(
    type='TextImageDataset',
    data_root=union14m_benchmark_lmdb_data_root,
    paths='artistic',
    with_text=True,
    test_mode=True,
    published=dict(
        name='Artistic',
        num_samples=900,
        labels='original',
        benchmark='Union14M benchmark'),
    pipeline=None)

union14m_benchmark_lmdb_contextless_textrecog_test = dict(
    type='TextImageDataset',
    data_root=union14m_benchmark_lmdb_data_root,
    paths='contextless',
    with_text=True,
    test_mode=True,
    published=dict(
        name='Contextless',
        num_samples=779,
        labels='original',
        benchmark='Union14M benchmark'),
    pipeline=None)

union14m_benchmark_lmdb_salient_textrecog_test = dict(
    type='TextImageDataset',
    data_root=union14m_benchmark_lmdb_data_root,
    paths='salient',
    with_text=True,
    test_mode=True,
    published=dict(
        name='Salient',
        num_samples=1585,
        labels='original',
        benchmark='Union14M benchmark'),
    pipeline=None)

union14m_benchmark_lmdb_multi_words_textrecog_test = dict(
    type='TextImageDataset',
    data_root=union14m_benchmark_lmdb_data_root,
    paths='multi_words',
    with_text=True,
    test_mode=True,
    published=dict(
        name='Multi-Words',
        num_samples=829,
        labels='original',
        benchmark='Union14M benchmark'),
    pipeline=None)

union14m_benchmark_lmdb_general_textrecog_test = dict(
    type='TextImageDataset',
    data_root=union14m_benchmark_lmdb_data_root,
    paths='general',
    with_text=True,
    test_mode=True,
    published=dict(
        name='General',
        num_samples=400000,
        labels='original',
        benchmark='Union14M benchmark'),
    pipeline=None)

union14m_benchmark_lmdb_textrecog_test_list = [
    union14m_benchmark_lmdb_curve_textrecog_test,
    union14m_benchmark_lmdb_multi_oriented_textrecog_test,
    union14m_benchmark_lmdb_artistic_textrecog_test,
    union14m_benchmark_lmdb_contextless_textrecog_test,
    union14m_benchmark_lmdb_salient_textrecog_test,
    union14m_benchmark_lmdb_multi_words_textrecog_test,
    union14m_benchmark_lmdb_general_textrecog_test,
]
