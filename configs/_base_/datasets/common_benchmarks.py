# The six common English sets with their original labels, in the layout that
# MMOCR's dataset preparer makes. Corrected labels are another protocol, in
# common_benchmarks_corrected.py: never put both in one table.
# IC13 and IC15 are each in use in two sizes. The paper's weighted averages
# follow from IC13 with 1,015 and IC15 with 2,077 images, as the list has them.
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.
common_benchmarks_data_root = '{{$LMIM_DATA_ROOT:data}}'
common_benchmarks_source = dict(
    homepage='https://mmocr.readthedocs.io/en/dev-1.x/user_guides/data_prepare/'
    'dataset_preparer.html',
    obtain="Make it with MMOCR's tools/dataset_converters/prepare_dataset.py, "
    'task textrecog.')

iiit5k_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_data_root,
    paths='iiit5k/textrecog_test.json',
    with_text=True,
    test_mode=True,
    published=dict(
        name='IIIT5K',
        num_samples=3000,
        labels='original',
        benchmark='Six common sets'),
    pipeline=None)

svt_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_data_root,
    paths='svt/textrecog_test.json',
    with_text=True,
    test_mode=True,
    published=dict(
        name='SVT',
        num_samples=647,
        labels='original',
        benchmark='Six common sets'),
    pipeline=None)

icdar2013_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_data_root,
    paths='icdar2013/textrecog_test.json',
    with_text=True,
    test_mode=True,
    published=dict(
        name='IC13_1015',
        num_samples=1015,
        labels='original',
        benchmark='Six common sets'),
    pipeline=None)

icdar2013_857_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_data_root,
    paths='icdar2013/textrecog_test_857.json',
    with_text=True,
    test_mode=True,
    published=dict(
        name='IC13_857',
        num_samples=857,
        labels='original',
        benchmark='Six common sets'),
    pipeline=None)

icdar2015_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_data_root,
    paths='icdar2015/textrecog_test.json',
    with_text=True,
    test_mode=True,
    published=dict(
        name='IC15_2077',
        num_samples=2077,
        labels='original',
        benchmark='Six common sets'),
    pipeline=None)

icdar2015_1811_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_data_root,
    paths='icdar2015/textrecog_test_1811.json',
    with_text=True,
    test_mode=True,
    published=dict(
        name='IC15_1811',
        num_samples=1811,
        labels='original',
        benchmark='Six common sets'),
    pipeline=None)

svtp_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_data_root,
    paths='svtp/textrecog_test.json',
    with_text=True,
    test_mode=True,
    published=dict(
        name='SVTP',
        num_samples=645,
        labels='original',
        benchmark='Six common sets'),
    pipeline=None)

cute80_textrecog_test = dict(
    type='TextImageDataset',
    data_root=common_benchmarks_data_root,
    paths='cute80/textrecog_test.json',
    with_text=True,
    test_mode=True,
    published=dict(
        name='CUTE80',
        num_samples=288,
        labels='original',
        benchmark='Six common sets'),
    pipeline=None)

common_benchmarks_textrecog_test_list = [
    iiit5k_textrecog_test,
    svt_textrecog_test,
    icdar2013_textrecog_test,
    icdar2015_textrecog_test,
    svtp_textrecog_test,
    cute80_textrecog_test,
]
