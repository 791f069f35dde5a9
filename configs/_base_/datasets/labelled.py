# One's own labelled words: lists with `path<TAB>label` on each line, images
# beside them. JSON lines, MMOCR's JSON and LMDBs with labels do as well.
# Another place without an edit:
#   --cfg-options train_dataloader.dataset.paths=/path/to/list.txt
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.
labelled_data_root = '{{$LMIM_DATA_ROOT:data}}/labelled'
labelled_source = dict(obtain='Put your own words there.')

labelled_textrecog_train = dict(
    type='TextImageDataset',
    data_root=labelled_data_root,
    paths='train.txt',
    with_text=True,
    published=dict(name='your labelled words'),
    pipeline=None)

labelled_textrecog_test = dict(
    type='TextImageDataset',
    data_root=labelled_data_root,
    paths='test.txt',
    with_text=True,
    test_mode=True,
    published=dict(name='your labelled words'),
    pipeline=None)
