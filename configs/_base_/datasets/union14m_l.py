# Union14M-L: 3,230,742 labelled word images, five parts by difficulty, in four
# makes. 6,599 images are also in the Union14M benchmark; two makes are without
# them. Counts: https://github.com/Topdu/OpenOCR, docs/svtrv2.md.
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.


def _set(data_root, paths, name, num_samples=None, **settings):
    counted = {} if num_samples is None else dict(num_samples=num_samples)
    return dict(
        type='TextImageDataset',
        data_root=data_root,
        paths=paths,
        with_text=True,
        published=dict(name=name, labels='original', **counted),
        pipeline=None,
        **settings)


# As published: files, with lists in MMOCR 1.x JSON.
union14m_l_data_root = '{{$LMIM_DATA_ROOT:data}}/Union14M-L'
union14m_l_source = dict(
    homepage='https://github.com/Mountchicken/Union14M',
    obtain='Download "Union14M-L & Union14M-Benchmark" (12 GB) from the links '
    'on the home page.')


def _json(file, part, num_samples=None, **settings):
    # Image paths start at the root.
    paths = dict(path=f'train_annos/mmocr1.0/{file}.json', image_root='.')
    return _set(union14m_l_data_root, paths, f'Union14M-L {part}',
                num_samples, **settings)


union14m_l_easy_textrecog_train = _json('train_easy', 'easy', 2076161)
union14m_l_medium_textrecog_train = _json('train_medium', 'medium', 145525)
union14m_l_normal_textrecog_train = _json('train_normal', 'normal', 218154)
union14m_l_hard_textrecog_train = _json('train_hard', 'hard', 308025)
union14m_l_challenging_textrecog_train = _json(
    'train_challenging', 'challenging', 482877)
union14m_l_textrecog_val = _json('val_annos', 'val', test_mode=True)

union14m_l_textrecog_train_list = [
    union14m_l_easy_textrecog_train,
    union14m_l_medium_textrecog_train,
    union14m_l_normal_textrecog_train,
    union14m_l_hard_textrecog_train,
    union14m_l_challenging_textrecog_train,
]

# The same as LMDBs, which are copied and read faster than millions of files.
union14m_l_lmdb_data_root = '{{$LMIM_DATA_ROOT:data}}/Union14M-L-LMDB'
union14m_l_lmdb_source = dict(
    homepage='https://github.com/Mountchicken/Union14M',
    obtain='Make it from Union14M-L, each list into an LMDB of its name, with '
    '`lmim data create`.')


def _lmdb(folder, part, num_samples=None, **settings):
    return _set(union14m_l_lmdb_data_root, folder, f'Union14M-L {part}',
                num_samples, **settings)


union14m_l_lmdb_easy_textrecog_train = _lmdb('train_easy', 'easy', 2076161)
union14m_l_lmdb_medium_textrecog_train = _lmdb(
    'train_medium', 'medium', 145525)
union14m_l_lmdb_normal_textrecog_train = _lmdb(
    'train_normal', 'normal', 218154)
union14m_l_lmdb_hard_textrecog_train = _lmdb('train_hard', 'hard', 308025)
union14m_l_lmdb_challenging_textrecog_train = _lmdb(
    'train_challenging', 'challenging', 482877)
union14m_l_lmdb_textrecog_val = _lmdb('val_annos', 'val', test_mode=True)

union14m_l_lmdb_textrecog_train_list = [
    union14m_l_lmdb_easy_textrecog_train,
    union14m_l_lmdb_medium_textrecog_train,
    union14m_l_lmdb_normal_textrecog_train,
    union14m_l_lmdb_hard_textrecog_train,
    union14m_l_lmdb_challenging_textrecog_train,
]

# Without the images of the benchmark: Union14M-L-Filter, 3,224,143 images,
# which OpenOCR hands out as LMDBs.
union14m_l_filtered_data_root = (
    '{{$LMIM_DATA_ROOT:data}}/Union14M-L-LMDB-Filtered')
union14m_l_filtered_source = dict(
    homepage='https://github.com/Topdu/OpenOCR/blob/main/docs/svtrv2.md',
    obtain='Download the LMDB archives of Union14M-L-Filter from the links on '
    'the home page.')


def _filtered(part, num_samples):
    return _set(union14m_l_filtered_data_root, f'filter_train_{part}',
                f'Union14M-L-Filter {part}', num_samples)


union14m_l_filtered_easy_textrecog_train = _filtered('easy', 2073822)
union14m_l_filtered_medium_textrecog_train = _filtered('medium', 144677)
union14m_l_filtered_normal_textrecog_train = _filtered('normal', 217070)
union14m_l_filtered_hard_textrecog_train = _filtered('hard', 306771)
union14m_l_filtered_challenging_textrecog_train = _filtered(
    'challenging', 481803)

union14m_l_filtered_textrecog_train_list = [
    union14m_l_filtered_easy_textrecog_train,
    union14m_l_filtered_medium_textrecog_train,
    union14m_l_filtered_normal_textrecog_train,
    union14m_l_filtered_hard_textrecog_train,
    union14m_l_filtered_challenging_textrecog_train,
]

# Without them, one's own make: `lmim data dedup` finds near
# duplicates too, so that the counts need not be the published ones.
union14m_l_clean_data_root = '{{$LMIM_DATA_ROOT:data}}/Union14M-L-clean'
union14m_l_clean_source = dict(
    homepage='https://github.com/Mountchicken/Union14M',
    obtain='Make it from Union14M-L and its benchmark, part by part, with '
    '`lmim data dedup`.')


def _clean(part):
    return _set(union14m_l_clean_data_root, f'{part}.lmdb',
                f'Union14M-L clean {part}')


union14m_l_clean_easy_textrecog_train = _clean('easy')
union14m_l_clean_medium_textrecog_train = _clean('medium')
union14m_l_clean_normal_textrecog_train = _clean('normal')
union14m_l_clean_hard_textrecog_train = _clean('hard')
union14m_l_clean_challenging_textrecog_train = _clean('challenging')

union14m_l_clean_textrecog_train_list = [
    union14m_l_clean_easy_textrecog_train,
    union14m_l_clean_medium_textrecog_train,
    union14m_l_clean_normal_textrecog_train,
    union14m_l_clean_hard_textrecog_train,
    union14m_l_clean_challenging_textrecog_train,
]
