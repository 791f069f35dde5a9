# The six common English sets with their original labels, as the LMDBs of
# deep-text-recognition-benchmark (dtrb). Those of STR-Fewer-Labels, to which
# the authors of LMIM point, have the same names.
# IC13 and IC15 are each in use in two sizes. The paper's weighted averages
# follow from IC13 with 1,015 and IC15 with 2,077 images, as the list has them.
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.
common_benchmarks_lmdb_data_root = (
    '{{$LMIM_DATA_ROOT:data}}/data_lmdb_release')
common_benchmarks_lmdb_source = dict(
    homepage='https://github.com/clovaai/deep-text-recognition-benchmark',
    obtain='Download data_lmdb_release.zip from the links on the home page.')

iiit5k_lmdb_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_lmdb_data_root,
    paths='evaluation/IIIT5k_3000',
    with_text=True,
    test_mode=True,
    published=dict(
        name='IIIT5K',
        num_samples=3000,
        labels='original',
        benchmark='Six common sets'),
    pipeline=None)

svt_lmdb_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_lmdb_data_root,
    paths='evaluation/SVT',
    with_text=True,
    test_mode=True,
    published=dict(
        name='SVT',
        num_samples=647,
        labels='original',
        benchmark='Six common sets'),
    pipeline=None)

icdar2013_lmdb_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_lmdb_data_root,
    paths='evaluation/IC13_1015',
    with_text=True,
    test_mode=True,
    published=dict(
        name='IC13_1015',
        num_samples=1015,
        labels='original',
        benchmark='Six common sets'),
    pipeline=None)

icdar2013_857_lmdb_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_lmdb_data_root,
    paths='evaluation/IC13_857',
    with_text=True,
    test_mode=True,
    published=dict(
        name='IC13_857',
        num_samples=857,
        labels='original',
        benchmark='Six common sets'),
    pipeline=None)

icdar2015_lmdb_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_lmdb_data_root,
    paths='evaluation/IC15_2077',
    with_text=True,
    test_mode=True,
    published=dict(
        name='IC15_2077',
        num_samples=2077,
        labels='original',
        benchmark='Six common sets'),
    pipeline=None)

icdar2015_1811_lmdb_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_lmdb_data_root,
    paths='evaluation/IC15_1811',
    with_text=True,
    test_mode=True,
    published=dict(
        name='IC15_1811',
        num_samples=1811,
        labels='original',
        benchmark='Six common sets'),
    pipeline=None)

svtp_lmdb_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_lmdb_data_root,
    paths='evaluation/SVTP',
    with_text=True,
    test_mode=True,
    published=dict(
        name='SVTP',
        num_samples=645,
        labels='original',
        benchmark='Six common sets'),
    pipeline=None)

cute80_lmdb_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_lmdb_data_root,
    paths='evaluation/CUTE80',
    with_text=True,
    test_mode=True,
    published=dict(
        name='CUTE80',
        num_samples=288,
        labels='original',
        benchmark='Six common sets'),
    pipeline=None)

# The training parts of IC13, IC15, IIIT5K and SVT together.
common_benchmarks_lmdb_textrecog_val = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_lmdb_data_root,
    paths='validation',
    with_text=True,
    test_mode=True,
    published=dict(
        name='dtrb validation', num_samples=6992, labels='original'),
    pipeline=None)

common_benchmarks_lmdb_textrecog_test_list = [
    iiit5k_lmdb_textrecog_test,
    svt_lmdb_textrecog_test,
    icdar2013_lmdb_textrecog_test,
    icdar2015_lmdb_textrecog_test,
    svtp_lmdb_textrecog_test,
    cute80_lmdb_textrecog_test,
]
