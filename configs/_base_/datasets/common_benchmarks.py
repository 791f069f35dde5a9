# The six common English sets, in the layout that MMOCR's dataset preparer
# makes, with their original labels. Corrected labels are another protocol:
# never put both in one table. The paper's weighted averages follow from IC13
# with 1,015 and IC15 with 2,077 images.
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.
common_benchmarks_data_root = '{{$LMIM_DATA_ROOT:data}}'

# 3,000 images
iiit5k_textrecog_test = dict(
    type='OCRDataset',
    data_root=common_benchmarks_data_root + '/iiit5k',
    ann_file='textrecog_test.json',
    test_mode=True,
    pipeline=None)

# 647 images
svt_textrecog_test = dict(
    type='OCRDataset',
    data_root=common_benchmarks_data_root + '/svt',
    ann_file='textrecog_test.json',
    test_mode=True,
    pipeline=None)

# 1,015 images
icdar2013_textrecog_test = dict(
    type='OCRDataset',
    data_root=common_benchmarks_data_root + '/icdar2013',
    ann_file='textrecog_test.json',
    test_mode=True,
    pipeline=None)

# 857 images
icdar2013_857_textrecog_test = dict(
    type='OCRDataset',
    data_root=common_benchmarks_data_root + '/icdar2013',
    ann_file='textrecog_test_857.json',
    test_mode=True,
    pipeline=None)

# 2,077 images
icdar2015_textrecog_test = dict(
    type='OCRDataset',
    data_root=common_benchmarks_data_root + '/icdar2015',
    ann_file='textrecog_test.json',
    test_mode=True,
    pipeline=None)

# 1,811 images
icdar2015_1811_textrecog_test = dict(
    type='OCRDataset',
    data_root=common_benchmarks_data_root + '/icdar2015',
    ann_file='textrecog_test_1811.json',
    test_mode=True,
    pipeline=None)

# 645 images
svtp_textrecog_test = dict(
    type='OCRDataset',
    data_root=common_benchmarks_data_root + '/svtp',
    ann_file='textrecog_test.json',
    test_mode=True,
    pipeline=None)

# 288 images
cute80_textrecog_test = dict(
    type='OCRDataset',
    data_root=common_benchmarks_data_root + '/cute80',
    ann_file='textrecog_test.json',
    test_mode=True,
    pipeline=None)

common_benchmarks_textrecog_test_list = [
    iiit5k_textrecog_test, svt_textrecog_test, icdar2013_textrecog_test,
    icdar2015_textrecog_test, svtp_textrecog_test, cute80_textrecog_test
]
