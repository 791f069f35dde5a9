# ARD, annotated real data: the labelled words of TextOCR and OpenImages V5, on
# which DiG, CCD and, to compare with them, LMIM are fine-tuned; about 2.78
# million, exact counts are not published. LMDBs in the folders that
# https://github.com/TongkunGuan/CCD names: TextOCR is one, Openimages has
# train_1, train_2, train_5, train_f and validation in it.
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.
ard_data_root = '{{$LMIM_DATA_ROOT:data}}/ARD'
ard_source = dict(
    homepage='https://github.com/ayumiymk/DiG',
    obtain='Download "Annotated Real Data", which is TextOCR and '
    'OpenImageTextV5, from the links on the home page.')

ard_textrecog_train = dict(
    type='TextImageDataset',
    data_root=ard_data_root,
    paths=['TextOCR', 'Openimages'],
    with_text=True,
    published=dict(name='ARD', labels='original'),
    pipeline=None)
