# Union14M-L as published: 3,230,742 labelled word images as files, with lists
# in MMOCR 1.x JSON, five parts by difficulty; image paths start at the root.
# It shares 6,599 images with the Union14M benchmark: union14m_l_clean.py has
# it without them. Counts: https://github.com/Topdu/OpenOCR, docs/svtrv2.md.
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.
union14m_l_data_root = '{{$LMIM_DATA_ROOT:data}}/Union14M-L'
union14m_l_source = dict(
    homepage='https://github.com/Mountchicken/Union14M',
    obtain='Download "Union14M-L & Union14M-Benchmark" (12 GB) from the links '
    'on the home page.')

union14m_l_easy_textrecog_train = dict(
    type='TextImageDataset',
    data_root=union14m_l_data_root,
    paths=dict(
        path='train_annos/mmocr1.0/train_easy.json', image_root='.'),
    with_text=True,
    published=dict(
        name='Union14M-L easy', num_samples=2076161, labels='original'),
    pipeline=None)

union14m_l_medium_textrecog_train = dict(
    type='TextImageDataset',
    data_root=union14m_l_data_root,
    paths=dict(
        path='train_annos/mmocr1.0/train_medium.json', image_root='.'),
    with_text=True,
    published=dict(
        name='Union14M-L medium', num_samples=145525, labels='original'),
    pipeline=None)

union14m_l_normal_textrecog_train = dict(
    type='TextImageDataset',
    data_root=union14m_l_data_root,
    paths=dict(
        path='train_annos/mmocr1.0/train_normal.json', image_root='.'),
    with_text=True,
    published=dict(
        name='Union14M-L normal', num_samples=218154, labels='original'),
    pipeline=None)

union14m_l_hard_textrecog_train = dict(
    type='TextImageDataset',
    data_root=union14m_l_data_root,
    paths=dict(
        path='train_annos/mmocr1.0/train_hard.json', image_root='.'),
    with_text=True,
    published=dict(
        name='Union14M-L hard', num_samples=308025, labels='original'),
    pipeline=None)

union14m_l_challenging_textrecog_train = dict(
    type='TextImageDataset',
    data_root=union14m_l_data_root,
    paths=dict(
        path='train_annos/mmocr1.0/train_challenging.json', image_root='.'),
    with_text=True,
    published=dict(
        name='Union14M-L challenging', num_samples=482877, labels='original'),
    pipeline=None)

union14m_l_textrecog_val = dict(
    type='TextImageDataset',
    data_root=union14m_l_data_root,
    paths=dict(path='train_annos/mmocr1.0/val_annos.json', image_root='.'),
    with_text=True,
    test_mode=True,
    published=dict(name='Union14M-L val', labels='original'),
    pipeline=None)

union14m_l_textrecog_train_list = [
    union14m_l_easy_textrecog_train,
    union14m_l_medium_textrecog_train,
    union14m_l_normal_textrecog_train,
    union14m_l_hard_textrecog_train,
    union14m_l_challenging_textrecog_train,
]
