# The Union14M benchmark. Avg is the plain mean over the first seven, W-Avg is
# weighted by their sample counts; the two incomplete ones are in neither.
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.
union14m_benchmark_data_root = (
    '{{$LMIM_DATA_ROOT:data}}/Union14M-L/Union14M-Benchmarks')
union14m_benchmark_source = dict(
    homepage='https://github.com/Mountchicken/Union14M',
    obtain='Download "Union14M-L & Union14M-Benchmark" (12 GB) from the links '
    'on the home page.')

union14m_benchmark_curve_textrecog_test = dict(
    type='TextImageDataset',
    data_root=union14m_benchmark_data_root,
    paths='curve/annotation.json',
    with_text=True,
    test_mode=True,
    published=dict(
        name='Curve',
        num_samples=2426,
        labels='original',
        benchmark='Union14M benchmark'),
    pipeline=None)

union14m_benchmark_multi_oriented_textrecog_test = dict(
    type='TextImageDataset',
    data_root=union14m_benchmark_data_root,
    paths='multi_oriented/annotation.json',
    with_text=True,
    test_mode=True,
    published=dict(
        name='Multi-Oriented',
        num_samples=1369,
        labels='original',
        benchmark='Union14M benchmark'),
    pipeline=None)

union14m_benchmark_artistic_textrecog_test = dict(
    type='TextImageDataset',
    data_root=union14m_benchmark_data_root,
    paths='artistic/annotation.json',
    with_text=True,
    test_mode=True,
    published=dict(
        name='Artistic',
        num_samples=900,
        labels='original',
        benchmark='Union14M benchmark'),
    pipeline=None)

union14m_benchmark_contextless_textrecog_test = dict(
    type='TextImageDataset',
    data_root=union14m_benchmark_data_root,
    paths='contextless/annotation.json',
    with_text=True,
    test_mode=True,
    published=dict(
        name='Contextless',
        num_samples=779,
        labels='original',
        benchmark='Union14M benchmark'),
    pipeline=None)

union14m_benchmark_salient_textrecog_test = dict(
    type='TextImageDataset',
    data_root=union14m_benchmark_data_root,
    paths='salient/annotation.json',
    with_text=True,
    test_mode=True,
    published=dict(
        name='Salient',
        num_samples=1585,
        labels='original',
        benchmark='Union14M benchmark'),
    pipeline=None)

union14m_benchmark_multi_words_textrecog_test = dict(
    type='TextImageDataset',
    data_root=union14m_benchmark_data_root,
    paths='multi_words/annotation.json',
    with_text=True,
    test_mode=True,
    published=dict(
        name='Multi-Words',
        num_samples=829,
        labels='original',
        benchmark='Union14M benchmark'),
    pipeline=None)

# Its image paths start at the root of Union14M-L.
union14m_benchmark_general_textrecog_test = dict(
    type='TextImageDataset',
    data_root=union14m_benchmark_data_root,
    paths=dict(path='general/annotation.json', image_root='..'),
    with_text=True,
    test_mode=True,
    published=dict(
        name='General',
        num_samples=400000,
        labels='original',
        benchmark='Union14M benchmark'),
    pipeline=None)

union14m_benchmark_incomplete_textrecog_test = dict(
    type='TextImageDataset',
    data_root=union14m_benchmark_data_root,
    paths='incomplete/annotation.json',
    with_text=True,
    test_mode=True,
    published=dict(
        name='Incomplete',
        num_samples=1495,
        labels='original',
        benchmark='Union14M benchmark',
        in_average=False),
    pipeline=None)

# The words of Incomplete, uncut; how many is not published.
union14m_benchmark_incomplete_ori_textrecog_test = dict(
    type='TextImageDataset',
    data_root=union14m_benchmark_data_root,
    paths='incomplete_ori/annotation.json',
    with_text=True,
    test_mode=True,
    published=dict(
        name='Incomplete_ori',
        labels='original',
        benchmark='Union14M benchmark',
        in_average=False),
    pipeline=None)

union14m_benchmark_textrecog_test_list = [
    union14m_benchmark_curve_textrecog_test,
    union14m_benchmark_multi_oriented_textrecog_test,
    union14m_benchmark_artistic_textrecog_test,
    union14m_benchmark_contextless_textrecog_test,
    union14m_benchmark_salient_textrecog_test,
    union14m_benchmark_multi_words_textrecog_test,
    union14m_benchmark_general_textrecog_test,
]
