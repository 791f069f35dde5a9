# The six common English sets as PARSeq hands them out, LMDBs in the folder
# `test`: labels with case by Long and Yao, with corrections of PARSeq's own
# (https://github.com/baudm/parseq, Datasets.md). They are neither the original
# labels nor those of common_benchmarks_corrected.py: a table of their own.
# OpenOCR hands out the same folder. IC13 and IC15 are each in use in two
# sizes; the list has 857 and 1,811, as PARSeq's and OpenOCR's tables.
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.
common_benchmarks_parseq_data_root = '{{$LMIM_DATA_ROOT:data}}/test'
common_benchmarks_parseq_source = dict(
    homepage='https://github.com/baudm/parseq/blob/main/Datasets.md',
    obtain='Download "val + test + most of train" from the links on the home '
    'page.')

iiit5k_parseq_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_parseq_data_root,
    paths='IIIT5k',
    with_text=True,
    test_mode=True,
    published=dict(
        name='IIIT5K',
        num_samples=3000,
        labels='PARSeq',
        benchmark='Six common sets'),
    pipeline=None)

svt_parseq_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_parseq_data_root,
    paths='SVT',
    with_text=True,
    test_mode=True,
    published=dict(
        name='SVT',
        num_samples=647,
        labels='PARSeq',
        benchmark='Six common sets'),
    pipeline=None)

icdar2013_parseq_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_parseq_data_root,
    paths='IC13_1015',
    with_text=True,
    test_mode=True,
    published=dict(
        name='IC13_1015',
        num_samples=1015,
        labels='PARSeq',
        benchmark='Six common sets'),
    pipeline=None)

icdar2013_857_parseq_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_parseq_data_root,
    paths='IC13_857',
    with_text=True,
    test_mode=True,
    published=dict(
        name='IC13_857',
        num_samples=857,
        labels='PARSeq',
        benchmark='Six common sets'),
    pipeline=None)

icdar2015_parseq_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_parseq_data_root,
    paths='IC15_2077',
    with_text=True,
    test_mode=True,
    published=dict(
        name='IC15_2077',
        num_samples=2077,
        labels='PARSeq',
        benchmark='Six common sets'),
    pipeline=None)

icdar2015_1811_parseq_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_parseq_data_root,
    paths='IC15_1811',
    with_text=True,
    test_mode=True,
    published=dict(
        name='IC15_1811',
        num_samples=1811,
        labels='PARSeq',
        benchmark='Six common sets'),
    pipeline=None)

svtp_parseq_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_parseq_data_root,
    paths='SVTP',
    with_text=True,
    test_mode=True,
    published=dict(
        name='SVTP',
        num_samples=645,
        labels='PARSeq',
        benchmark='Six common sets'),
    pipeline=None)

cute80_parseq_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_parseq_data_root,
    paths='CUTE80',
    with_text=True,
    test_mode=True,
    published=dict(
        name='CUTE80',
        num_samples=288,
        labels='PARSeq',
        benchmark='Six common sets'),
    pipeline=None)

common_benchmarks_parseq_textrecog_test_list = [
    iiit5k_parseq_textrecog_test,
    svt_parseq_textrecog_test,
    icdar2013_857_parseq_textrecog_test,
    icdar2015_1811_parseq_textrecog_test,
    svtp_parseq_textrecog_test,
    cute80_parseq_textrecog_test,
]
