# The reader's encoder: convolutions that keep strokes, then two blocks of a
# ViT over 32 columns; 3.1 M parameters. Most of its time goes into
# convolutions, which two cores compute twice as fast as linear layers.
encoder = dict(
    arch='shallow',
    patch_size=(32, 4),
    stem=(32, 64, 128, 192),
    pos_embed='grid')

# What `tools/train_reader.sh` makes; LMIM_DATA_ROOT says where the data lies.
root = '{{$LMIM_DATA_ROOT:data}}/reader/'
real = '{{$LMIM_DATA_ROOT:data}}/real/'
rendered = root + 'rendered/train.lmdb'
words = root + 'words/train.lmdb'
held_out = root + 'words/val.lmdb'
