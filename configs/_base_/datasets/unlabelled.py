# One's own images: a folder (searched with its sub-folders), an LMDB with
# num-samples and image-%09d, a list of paths, or several of these. Another
# place without an edit:
#   --cfg-options train_dataloader.dataset.paths=/path/to/images
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.
unlabelled_data_root = '{{$LMIM_DATA_ROOT:data}}'
unlabelled_source = dict(obtain='Put your own images there.')

unlabelled_pretrain = dict(
    type='TextImageDataset',
    data_root=unlabelled_data_root,
    paths='unlabelled',
    published=dict(name='your unlabelled images'),
    pipeline=None)
