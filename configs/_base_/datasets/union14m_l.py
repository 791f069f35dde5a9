# Union14M-L: labelled word images in MMOCR 1.x JSON, five parts by difficulty;
# image paths are relative to the root. It shares 6,599 images with the
# Union14M benchmark; with those taken out it has 3,224,143.
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.
union14m_l_data_root = '{{$LMIM_DATA_ROOT:data}}/Union14M-L'

union14m_l_easy_textrecog_train = dict(
    type='OCRDataset',
    data_root=union14m_l_data_root,
    ann_file='train_annos/mmocr1.0/train_easy.json',
    pipeline=None)

union14m_l_medium_textrecog_train = dict(
    type='OCRDataset',
    data_root=union14m_l_data_root,
    ann_file='train_annos/mmocr1.0/train_medium.json',
    pipeline=None)

union14m_l_normal_textrecog_train = dict(
    type='OCRDataset',
    data_root=union14m_l_data_root,
    ann_file='train_annos/mmocr1.0/train_normal.json',
    pipeline=None)

union14m_l_hard_textrecog_train = dict(
    type='OCRDataset',
    data_root=union14m_l_data_root,
    ann_file='train_annos/mmocr1.0/train_hard.json',
    pipeline=None)

union14m_l_challenging_textrecog_train = dict(
    type='OCRDataset',
    data_root=union14m_l_data_root,
    ann_file='train_annos/mmocr1.0/train_challenging.json',
    pipeline=None)

union14m_l_textrecog_val = dict(
    type='OCRDataset',
    data_root=union14m_l_data_root,
    ann_file='train_annos/mmocr1.0/val_annos.json',
    test_mode=True,
    pipeline=None)

union14m_l_textrecog_train_list = [
    union14m_l_easy_textrecog_train, union14m_l_medium_textrecog_train,
    union14m_l_normal_textrecog_train, union14m_l_hard_textrecog_train,
    union14m_l_challenging_textrecog_train
]
