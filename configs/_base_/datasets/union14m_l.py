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


def _parts(data_root, paths_of, name, counts=(None, ) * 5):
    """The five parts of a make."""
    parts = ('easy', 'medium', 'normal', 'hard', 'challenging')
    return [_set(data_root, paths_of(part), f'{name} {part}', count)
            for part, count in zip(parts, counts)]


# As published: files, with lists in MMOCR 1.x JSON, whose image paths start at
# the root.
union14m_l_data_root = '{{$LMIM_DATA_ROOT:data}}/Union14M-L'
union14m_l_source = dict(
    homepage='https://github.com/Mountchicken/Union14M',
    obtain='Download "Union14M-L & Union14M-Benchmark" (12 GB) from the links '
    'on the home page.')


def _json(name):
    return dict(path=f'train_annos/mmocr1.0/{name}.json', image_root='.')


union14m_l_textrecog_train_list = _parts(
    union14m_l_data_root, lambda part: _json(f'train_{part}'),
    'Union14M-L', (2076161, 145525, 218154, 308025, 482877))
(union14m_l_easy_textrecog_train,
 union14m_l_medium_textrecog_train,
 union14m_l_normal_textrecog_train,
 union14m_l_hard_textrecog_train,
 union14m_l_challenging_textrecog_train
 ) = union14m_l_textrecog_train_list
union14m_l_textrecog_val = _set(
    union14m_l_data_root, _json('val_annos'), 'Union14M-L val', test_mode=True)

# The same as LMDBs, which are copied and read faster than millions of files.
union14m_l_lmdb_data_root = '{{$LMIM_DATA_ROOT:data}}/Union14M-L-LMDB'
union14m_l_lmdb_source = dict(
    homepage='https://github.com/Mountchicken/Union14M',
    obtain='Make it from Union14M-L, each list into an LMDB of its name, with '
    '`lmim data create`.')

union14m_l_lmdb_textrecog_train_list = _parts(
    union14m_l_lmdb_data_root, lambda part: f'train_{part}', 'Union14M-L',
    (2076161, 145525, 218154, 308025, 482877))
(union14m_l_lmdb_easy_textrecog_train,
 union14m_l_lmdb_medium_textrecog_train,
 union14m_l_lmdb_normal_textrecog_train,
 union14m_l_lmdb_hard_textrecog_train,
 union14m_l_lmdb_challenging_textrecog_train
 ) = union14m_l_lmdb_textrecog_train_list
union14m_l_lmdb_textrecog_val = _set(
    union14m_l_lmdb_data_root, 'val_annos', 'Union14M-L val', test_mode=True)

# Without the images of the benchmark: Union14M-L-Filter, 3,224,143 images,
# which OpenOCR hands out as LMDBs.
union14m_l_filtered_data_root = (
    '{{$LMIM_DATA_ROOT:data}}/Union14M-L-LMDB-Filtered')
union14m_l_filtered_source = dict(
    homepage='https://github.com/Topdu/OpenOCR/blob/main/docs/svtrv2.md',
    obtain='Download the LMDB archives of Union14M-L-Filter from the links on '
    'the home page.')

union14m_l_filtered_textrecog_train_list = _parts(
    union14m_l_filtered_data_root, lambda part: f'filter_train_{part}',
    'Union14M-L-Filter', (2073822, 144677, 217070, 306771, 481803))
(union14m_l_filtered_easy_textrecog_train,
 union14m_l_filtered_medium_textrecog_train,
 union14m_l_filtered_normal_textrecog_train,
 union14m_l_filtered_hard_textrecog_train,
 union14m_l_filtered_challenging_textrecog_train
 ) = union14m_l_filtered_textrecog_train_list

# Without them, one's own make: `lmim data dedup` finds near
# duplicates too, so that the counts need not be the published ones.
union14m_l_clean_data_root = '{{$LMIM_DATA_ROOT:data}}/Union14M-L-clean'
union14m_l_clean_source = dict(
    homepage='https://github.com/Mountchicken/Union14M',
    obtain='Make it from Union14M-L and its benchmark, part by part, with '
    '`lmim data dedup`.')

union14m_l_clean_textrecog_train_list = _parts(
    union14m_l_clean_data_root, lambda part: f'{part}.lmdb',
    'Union14M-L clean')
(union14m_l_clean_easy_textrecog_train,
 union14m_l_clean_medium_textrecog_train,
 union14m_l_clean_normal_textrecog_train,
 union14m_l_clean_hard_textrecog_train,
 union14m_l_clean_challenging_textrecog_train
 ) = union14m_l_clean_textrecog_train_list
