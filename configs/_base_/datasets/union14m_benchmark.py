# The Union14M benchmark. Avg is the plain mean over the first seven, W-Avg is
# weighted by their sample counts; the two incomplete ones are in neither.
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.
union14m_benchmark_data_root = (
    '{{$LMIM_DATA_ROOT:data}}/Union14M-L/Union14M-Benchmarks')

# 2,426 images
union14m_benchmark_curve_textrecog_test = dict(
    type='OCRDataset',
    data_root=union14m_benchmark_data_root,
    data_prefix=dict(img_path='curve'),
    ann_file='curve/annotation.json',
    test_mode=True,
    pipeline=None)

# 1,369 images
union14m_benchmark_multi_oriented_textrecog_test = dict(
    type='OCRDataset',
    data_root=union14m_benchmark_data_root,
    data_prefix=dict(img_path='multi_oriented'),
    ann_file='multi_oriented/annotation.json',
    test_mode=True,
    pipeline=None)

# 900 images
union14m_benchmark_artistic_textrecog_test = dict(
    type='OCRDataset',
    data_root=union14m_benchmark_data_root,
    data_prefix=dict(img_path='artistic'),
    ann_file='artistic/annotation.json',
    test_mode=True,
    pipeline=None)

# 779 images
union14m_benchmark_contextless_textrecog_test = dict(
    type='OCRDataset',
    data_root=union14m_benchmark_data_root,
    data_prefix=dict(img_path='contextless'),
    ann_file='contextless/annotation.json',
    test_mode=True,
    pipeline=None)

# 1,585 images
union14m_benchmark_salient_textrecog_test = dict(
    type='OCRDataset',
    data_root=union14m_benchmark_data_root,
    data_prefix=dict(img_path='salient'),
    ann_file='salient/annotation.json',
    test_mode=True,
    pipeline=None)

# 829 images
union14m_benchmark_multi_words_textrecog_test = dict(
    type='OCRDataset',
    data_root=union14m_benchmark_data_root,
    data_prefix=dict(img_path='multi_words'),
    ann_file='multi_words/annotation.json',
    test_mode=True,
    pipeline=None)

# 400,000 images, whose paths are relative to the root of Union14M-L
union14m_benchmark_general_textrecog_test = dict(
    type='OCRDataset',
    data_root=union14m_benchmark_data_root,
    data_prefix=dict(img_path='..'),
    ann_file='general/annotation.json',
    test_mode=True,
    pipeline=None)

# 1,495 images
union14m_benchmark_incomplete_textrecog_test = dict(
    type='OCRDataset',
    data_root=union14m_benchmark_data_root,
    data_prefix=dict(img_path='incomplete'),
    ann_file='incomplete/annotation.json',
    test_mode=True,
    pipeline=None)

# its uncut counterpart
union14m_benchmark_incomplete_ori_textrecog_test = dict(
    type='OCRDataset',
    data_root=union14m_benchmark_data_root,
    data_prefix=dict(img_path='incomplete_ori'),
    ann_file='incomplete_ori/annotation.json',
    test_mode=True,
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
