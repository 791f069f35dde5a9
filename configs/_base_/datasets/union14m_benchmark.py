# The Union14M benchmark, as published and as LMDBs. Avg is the plain mean over
# the first seven, W-Avg is weighted by their sample counts; the two incomplete
# ones are in neither.
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.


def _set(data_root, paths, name, num_samples=None, **published):
    if num_samples is not None:
        published['num_samples'] = num_samples
    return dict(
        type='TextImageDataset',
        data_root=data_root,
        paths=paths,
        with_text=True,
        test_mode=True,
        published=dict(
            name=name,
            labels='original',
            benchmark='Union14M benchmark',
            **published),
        pipeline=None)


union14m_benchmark_data_root = (
    '{{$LMIM_DATA_ROOT:data}}/Union14M-L/Union14M-Benchmarks')
union14m_benchmark_source = dict(
    homepage='https://github.com/Mountchicken/Union14M',
    obtain='Download "Union14M-L & Union14M-Benchmark" (12 GB) from the links '
    'on the home page.')


def _json(folder, name, num_samples=None, **published):
    return _set(union14m_benchmark_data_root, f'{folder}/annotation.json',
                name, num_samples, **published)


union14m_benchmark_curve_textrecog_test = _json('curve', 'Curve', 2426)
union14m_benchmark_multi_oriented_textrecog_test = _json(
    'multi_oriented', 'Multi-Oriented', 1369)
union14m_benchmark_artistic_textrecog_test = _json(
    'artistic', 'Artistic', 900)
union14m_benchmark_contextless_textrecog_test = _json(
    'contextless', 'Contextless', 779)
union14m_benchmark_salient_textrecog_test = _json('salient', 'Salient', 1585)
union14m_benchmark_multi_words_textrecog_test = _json(
    'multi_words', 'Multi-Words', 829)
# Its image paths start at the root of Union14M-L.
union14m_benchmark_general_textrecog_test = _set(
    union14m_benchmark_data_root,
    dict(path='general/annotation.json', image_root='..'), 'General', 400000)
union14m_benchmark_incomplete_textrecog_test = _json(
    'incomplete', 'Incomplete', 1495, in_average=False)
# The words of Incomplete, uncut; how many is not published.
union14m_benchmark_incomplete_ori_textrecog_test = _json(
    'incomplete_ori', 'Incomplete_ori', in_average=False)

union14m_benchmark_textrecog_test_list = [
    union14m_benchmark_curve_textrecog_test,
    union14m_benchmark_multi_oriented_textrecog_test,
    union14m_benchmark_artistic_textrecog_test,
    union14m_benchmark_contextless_textrecog_test,
    union14m_benchmark_salient_textrecog_test,
    union14m_benchmark_multi_words_textrecog_test,
    union14m_benchmark_general_textrecog_test,
]

# As the LMDBs that OpenOCR hands out.
union14m_benchmark_lmdb_data_root = '{{$LMIM_DATA_ROOT:data}}/u14m'
union14m_benchmark_lmdb_source = dict(
    homepage='https://github.com/Topdu/OpenOCR/blob/main/docs/svtrv2.md',
    obtain='Download the LMDB archives of Union14M-L-Benchmark from the links '
    'on the home page.')


def _lmdb(folder, name, num_samples):
    return _set(union14m_benchmark_lmdb_data_root, folder, name, num_samples)


union14m_benchmark_lmdb_curve_textrecog_test = _lmdb('curve', 'Curve', 2426)
union14m_benchmark_lmdb_multi_oriented_textrecog_test = _lmdb(
    'multi_oriented', 'Multi-Oriented', 1369)
union14m_benchmark_lmdb_artistic_textrecog_test = _lmdb(
    'artistic', 'Artistic', 900)
union14m_benchmark_lmdb_contextless_textrecog_test = _lmdb(
    'contextless', 'Contextless', 779)
union14m_benchmark_lmdb_salient_textrecog_test = _lmdb(
    'salient', 'Salient', 1585)
union14m_benchmark_lmdb_multi_words_textrecog_test = _lmdb(
    'multi_words', 'Multi-Words', 829)
union14m_benchmark_lmdb_general_textrecog_test = _lmdb(
    'general', 'General', 400000)

union14m_benchmark_lmdb_textrecog_test_list = [
    union14m_benchmark_lmdb_curve_textrecog_test,
    union14m_benchmark_lmdb_multi_oriented_textrecog_test,
    union14m_benchmark_lmdb_artistic_textrecog_test,
    union14m_benchmark_lmdb_contextless_textrecog_test,
    union14m_benchmark_lmdb_salient_textrecog_test,
    union14m_benchmark_lmdb_multi_words_textrecog_test,
    union14m_benchmark_lmdb_general_textrecog_test,
]
