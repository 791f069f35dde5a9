# MJSynth (MJ) and SynthText (ST), rendered words, as the LMDBs of
# deep-text-recognition-benchmark (dtrb), 14,442,049 images (counts:
# https://github.com/mindspore-lab/mindocr, its page on CRNN). SynthText as
# ABINet and PARSeq cut it has 6,976,115 images: another set.
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.
mjsynth_synthtext_data_root = (
    '{{$LMIM_DATA_ROOT:data}}/data_lmdb_release/training')
mjsynth_synthtext_source = dict(
    homepage='https://github.com/clovaai/deep-text-recognition-benchmark',
    obtain='Download data_lmdb_release.zip from the links on the home page.')

# 7,224,586 + 802,731 + 891,924 images.
mjsynth_textrecog_train = dict(
    type='TextImageDataset',
    data_root=mjsynth_synthtext_data_root,
    paths=['MJ/MJ_train', 'MJ/MJ_valid', 'MJ/MJ_test'],
    with_text=True,
    published=dict(name='MJSynth', num_samples=8919241, labels='original'),
    pipeline=None)

synthtext_textrecog_train = dict(
    type='TextImageDataset',
    data_root=mjsynth_synthtext_data_root,
    paths='ST',
    with_text=True,
    published=dict(name='SynthText', num_samples=5522808, labels='original'),
    pipeline=None)

mjsynth_synthtext_textrecog_train_list = [
    mjsynth_textrecog_train,
    synthtext_textrecog_train,
]
