# The six common English sets, as four publishers hand them out. Original
# labels, corrected ones and PARSeq's are three protocols: never put two of
# them in one table.
# IC13 and IC15 are each in use in two sizes. The paper's weighted averages
# follow from IC13 with 1,015 and IC15 with 2,077 images, as the lists have
# them; PARSeq's and OpenOCR's tables have 857 and 1,811, as PARSeq's list.
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.


def _set(data_root, paths, name, num_samples, labels):
    return dict(
        type='TextImageDataset',
        data_root=data_root,
        paths=paths,
        with_text=True,
        test_mode=True,
        published=dict(
            name=name,
            num_samples=num_samples,
            labels=labels,
            benchmark='Six common sets'),
        pipeline=None)


# Original labels, in the layout that MMOCR's dataset preparer makes.
common_benchmarks_data_root = '{{$LMIM_DATA_ROOT:data}}'
common_benchmarks_source = dict(
    homepage='https://mmocr.readthedocs.io/en/dev-1.x/user_guides/data_prepare/'
    'dataset_preparer.html',
    obtain="Make it with MMOCR's tools/dataset_converters/prepare_dataset.py, "
    'task textrecog.')


def _json(paths, name, num_samples):
    return _set(common_benchmarks_data_root, paths, name, num_samples,
                'original')


iiit5k_textrecog_test = _json('iiit5k/textrecog_test.json', 'IIIT5K', 3000)
svt_textrecog_test = _json('svt/textrecog_test.json', 'SVT', 647)
icdar2013_textrecog_test = _json(
    'icdar2013/textrecog_test.json', 'IC13_1015', 1015)
icdar2013_857_textrecog_test = _json(
    'icdar2013/textrecog_test_857.json', 'IC13_857', 857)
icdar2015_textrecog_test = _json(
    'icdar2015/textrecog_test.json', 'IC15_2077', 2077)
icdar2015_1811_textrecog_test = _json(
    'icdar2015/textrecog_test_1811.json', 'IC15_1811', 1811)
svtp_textrecog_test = _json('svtp/textrecog_test.json', 'SVTP', 645)
cute80_textrecog_test = _json('cute80/textrecog_test.json', 'CUTE80', 288)

common_benchmarks_textrecog_test_list = [
    iiit5k_textrecog_test, svt_textrecog_test, icdar2013_textrecog_test,
    icdar2015_textrecog_test, svtp_textrecog_test, cute80_textrecog_test
]

# Original labels, as the LMDBs of deep-text-recognition-benchmark (dtrb).
# Those of STR-Fewer-Labels, to which the authors of LMIM point, have the same
# names.
common_benchmarks_lmdb_data_root = (
    '{{$LMIM_DATA_ROOT:data}}/data_lmdb_release')
common_benchmarks_lmdb_source = dict(
    homepage='https://github.com/clovaai/deep-text-recognition-benchmark',
    obtain='Download data_lmdb_release.zip from the links on the home page.')


def _lmdbs(data_root, iiit5k, labels, folder=''):
    """The six sets as LMDBs, with both sizes of IC13 and IC15."""
    rows = [(iiit5k, 'IIIT5K', 3000), ('SVT', 'SVT', 647),
            ('IC13_1015', 'IC13_1015', 1015), ('IC13_857', 'IC13_857', 857),
            ('IC15_2077', 'IC15_2077', 2077), ('IC15_1811', 'IC15_1811', 1811),
            ('SVTP', 'SVTP', 645), ('CUTE80', 'CUTE80', 288)]
    return [_set(data_root, f'{folder}{path}', name, num_samples, labels)
            for path, name, num_samples in rows]


(iiit5k_lmdb_textrecog_test, svt_lmdb_textrecog_test,
 icdar2013_lmdb_textrecog_test, icdar2013_857_lmdb_textrecog_test,
 icdar2015_lmdb_textrecog_test, icdar2015_1811_lmdb_textrecog_test,
 svtp_lmdb_textrecog_test, cute80_lmdb_textrecog_test) = _lmdbs(
     common_benchmarks_lmdb_data_root, 'IIIT5k_3000', 'original',
     'evaluation/')

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
    iiit5k_lmdb_textrecog_test, svt_lmdb_textrecog_test,
    icdar2013_lmdb_textrecog_test, icdar2015_lmdb_textrecog_test,
    svtp_lmdb_textrecog_test, cute80_lmdb_textrecog_test
]

# Labels as Yang et al. corrected them (STR_benchmark_cleansed), the second
# protocol of the paper's table. The folders are called as dtrb's; rename
# yours where they differ.
common_benchmarks_corrected_data_root = (
    '{{$LMIM_DATA_ROOT:data}}/STR_benchmark_cleansed')
common_benchmarks_corrected_source = dict(
    homepage='https://github.com/Xiaomeng-Yang/STR_benchmark_cleansed',
    obtain='Download the LMDBs from the link on the home page.')

(iiit5k_corrected_textrecog_test, svt_corrected_textrecog_test,
 icdar2013_corrected_textrecog_test, icdar2013_857_corrected_textrecog_test,
 icdar2015_corrected_textrecog_test, icdar2015_1811_corrected_textrecog_test,
 svtp_corrected_textrecog_test, cute80_corrected_textrecog_test) = _lmdbs(
     common_benchmarks_corrected_data_root, 'IIIT5k_3000', 'corrected')

common_benchmarks_corrected_textrecog_test_list = [
    iiit5k_corrected_textrecog_test, svt_corrected_textrecog_test,
    icdar2013_corrected_textrecog_test, icdar2015_corrected_textrecog_test,
    svtp_corrected_textrecog_test, cute80_corrected_textrecog_test
]

# As PARSeq hands them out, LMDBs in the folder `test`: labels with case by
# Long and Yao, with corrections of PARSeq's own (its Datasets.md). OpenOCR
# hands out the same folder.
common_benchmarks_parseq_data_root = '{{$LMIM_DATA_ROOT:data}}/test'
common_benchmarks_parseq_source = dict(
    homepage='https://github.com/baudm/parseq/blob/main/Datasets.md',
    obtain='Download "val + test + most of train" from the links on the home '
    'page.')

(iiit5k_parseq_textrecog_test, svt_parseq_textrecog_test,
 icdar2013_parseq_textrecog_test, icdar2013_857_parseq_textrecog_test,
 icdar2015_parseq_textrecog_test, icdar2015_1811_parseq_textrecog_test,
 svtp_parseq_textrecog_test, cute80_parseq_textrecog_test) = _lmdbs(
     common_benchmarks_parseq_data_root, 'IIIT5k', 'PARSeq')

common_benchmarks_parseq_textrecog_test_list = [
    iiit5k_parseq_textrecog_test, svt_parseq_textrecog_test,
    icdar2013_857_parseq_textrecog_test, icdar2015_1811_parseq_textrecog_test,
    svtp_parseq_textrecog_test, cute80_parseq_textrecog_test
]
