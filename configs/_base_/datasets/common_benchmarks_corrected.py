# The six common English sets with the labels as Yang et al. corrected them
# (STR_benchmark_cleansed), the second protocol of the paper's table. Original
# labels are another one, in common_benchmarks.py: never put both in one table.
# The folders are called as in common_benchmarks_lmdb.py; rename yours where
# they differ.
# IC13 and IC15 are each in use in two sizes. The paper's weighted averages
# follow from IC13 with 1,015 and IC15 with 2,077 images, as the list has them.
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.
common_benchmarks_corrected_data_root = (
    '{{$LMIM_DATA_ROOT:data}}/STR_benchmark_cleansed')
common_benchmarks_corrected_source = dict(
    homepage='https://github.com/Xiaomeng-Yang/STR_benchmark_cleansed',
    obtain='Download the LMDBs from the link on the home page.')

iiit5k_corrected_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_corrected_data_root,
    paths='IIIT5k_3000',
    with_text=True,
    test_mode=True,
    published=dict(
        name='IIIT5K',
        num_samples=3000,
        labels='corrected',
        benchmark='Six common sets'),
    pipeline=None)

svt_corrected_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_corrected_data_root,
    paths='SVT',
    with_text=True,
    test_mode=True,
    published=dict(
        name='SVT',
        num_samples=647,
        labels='corrected',
        benchmark='Six common sets'),
    pipeline=None)

icdar2013_corrected_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_corrected_data_root,
    paths='IC13_1015',
    with_text=True,
    test_mode=True,
    published=dict(
        name='IC13_1015',
        num_samples=1015,
        labels='corrected',
        benchmark='Six common sets'),
    pipeline=None)

icdar2013_857_corrected_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_corrected_data_root,
    paths='IC13_857',
    with_text=True,
    test_mode=True,
    published=dict(
        name='IC13_857',
        num_samples=857,
        labels='corrected',
        benchmark='Six common sets'),
    pipeline=None)

icdar2015_corrected_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_corrected_data_root,
    paths='IC15_2077',
    with_text=True,
    test_mode=True,
    published=dict(
        name='IC15_2077',
        num_samples=2077,
        labels='corrected',
        benchmark='Six common sets'),
    pipeline=None)

icdar2015_1811_corrected_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_corrected_data_root,
    paths='IC15_1811',
    with_text=True,
    test_mode=True,
    published=dict(
        name='IC15_1811',
        num_samples=1811,
        labels='corrected',
        benchmark='Six common sets'),
    pipeline=None)

svtp_corrected_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_corrected_data_root,
    paths='SVTP',
    with_text=True,
    test_mode=True,
    published=dict(
        name='SVTP',
        num_samples=645,
        labels='corrected',
        benchmark='Six common sets'),
    pipeline=None)

cute80_corrected_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_corrected_data_root,
    paths='CUTE80',
    with_text=True,
    test_mode=True,
    published=dict(
        name='CUTE80',
        num_samples=288,
        labels='corrected',
        benchmark='Six common sets'),
    pipeline=None)

common_benchmarks_corrected_textrecog_test_list = [
    iiit5k_corrected_textrecog_test,
    svt_corrected_textrecog_test,
    icdar2013_corrected_textrecog_test,
    icdar2015_corrected_textrecog_test,
    svtp_corrected_textrecog_test,
    cute80_corrected_textrecog_test,
]
