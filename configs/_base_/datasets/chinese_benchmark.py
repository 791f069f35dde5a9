# The Chinese benchmark (BCTR), four subsets, each as LMDBs for training,
# validation and test. Put the folders side by side: they are called the same
# in the hand-outs of its authors and of OpenOCR.
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.
chinese_benchmark_data_root = '{{$LMIM_DATA_ROOT:data}}/chinese_benchmark'
chinese_benchmark_source = dict(
    homepage='https://github.com/FudanVI/benchmarking-chinese-text-recognition',
    obtain='Download the LMDBs of scene, web and document from the links on '
    'the home page. For handwriting download SCUT-HCCDoc, cut and divide it '
    'by data/divide_scut.py of the home page, and make LMDBs with `'
    'lmim data create`.')

chinese_scene_textrecog_train = dict(
    type='TextImageDataset',
    data_root=chinese_benchmark_data_root,
    paths='scene_train',
    with_text=True,
    published=dict(name='Scene', num_samples=509164, labels='original'),
    pipeline=None)

chinese_web_textrecog_train = dict(
    type='TextImageDataset',
    data_root=chinese_benchmark_data_root,
    paths='web_train',
    with_text=True,
    published=dict(name='Web', num_samples=112471, labels='original'),
    pipeline=None)

chinese_document_textrecog_train = dict(
    type='TextImageDataset',
    data_root=chinese_benchmark_data_root,
    paths='document_train',
    with_text=True,
    published=dict(name='Document', num_samples=400000, labels='original'),
    pipeline=None)

chinese_handwriting_textrecog_train = dict(
    type='TextImageDataset',
    data_root=chinese_benchmark_data_root,
    paths='handwriting_train',
    with_text=True,
    published=dict(name='Handwriting', num_samples=74603, labels='original'),
    pipeline=None)

chinese_scene_textrecog_val = dict(
    type='TextImageDataset',
    data_root=chinese_benchmark_data_root,
    paths='scene_val',
    with_text=True,
    test_mode=True,
    published=dict(name='Scene', num_samples=63645, labels='original'),
    pipeline=None)

chinese_web_textrecog_val = dict(
    type='TextImageDataset',
    data_root=chinese_benchmark_data_root,
    paths='web_val',
    with_text=True,
    test_mode=True,
    published=dict(name='Web', num_samples=14059, labels='original'),
    pipeline=None)

chinese_document_textrecog_val = dict(
    type='TextImageDataset',
    data_root=chinese_benchmark_data_root,
    paths='document_val',
    with_text=True,
    test_mode=True,
    published=dict(name='Document', num_samples=50000, labels='original'),
    pipeline=None)

chinese_handwriting_textrecog_val = dict(
    type='TextImageDataset',
    data_root=chinese_benchmark_data_root,
    paths='handwriting_val',
    with_text=True,
    test_mode=True,
    published=dict(name='Handwriting', num_samples=18651, labels='original'),
    pipeline=None)

chinese_scene_textrecog_test = dict(
    type='TextImageDataset',
    data_root=chinese_benchmark_data_root,
    paths='scene_test',
    with_text=True,
    test_mode=True,
    published=dict(
        name='Scene',
        num_samples=63646,
        labels='original',
        benchmark='Chinese benchmark'),
    pipeline=None)

chinese_web_textrecog_test = dict(
    type='TextImageDataset',
    data_root=chinese_benchmark_data_root,
    paths='web_test',
    with_text=True,
    test_mode=True,
    published=dict(
        name='Web',
        num_samples=14059,
        labels='original',
        benchmark='Chinese benchmark'),
    pipeline=None)

chinese_document_textrecog_test = dict(
    type='TextImageDataset',
    data_root=chinese_benchmark_data_root,
    paths='document_test',
    with_text=True,
    test_mode=True,
    published=dict(
        name='Document',
        num_samples=50000,
        labels='original',
        benchmark='Chinese benchmark'),
    pipeline=None)

chinese_handwriting_textrecog_test = dict(
    type='TextImageDataset',
    data_root=chinese_benchmark_data_root,
    paths='handwriting_test',
    with_text=True,
    test_mode=True,
    published=dict(
        name='Handwriting',
        num_samples=23389,
        labels='original',
        benchmark='Chinese benchmark'),
    pipeline=None)

chinese_benchmark_textrecog_train_list = [
    chinese_scene_textrecog_train,
    chinese_web_textrecog_train,
    chinese_document_textrecog_train,
    chinese_handwriting_textrecog_train,
]

chinese_benchmark_textrecog_val_list = [
    chinese_scene_textrecog_val,
    chinese_web_textrecog_val,
    chinese_document_textrecog_val,
    chinese_handwriting_textrecog_val,
]

chinese_benchmark_textrecog_test_list = [
    chinese_scene_textrecog_test,
    chinese_web_textrecog_test,
    chinese_document_textrecog_test,
    chinese_handwriting_textrecog_test,
]
