# One's own images: a folder (searched with its sub-folders), an LMDB with
# num-samples and image-%09d, or a list of such paths. Another place without
# an edit: --cfg-options train_dataloader.dataset.paths=/path/to/images
unlabelled_data_root = '{{$LMIM_DATA_ROOT:data}}'

unlabelled_pretrain = dict(
    type='UnlabelledTextDataset',
    data_root=unlabelled_data_root,
    paths='unlabelled',
    pipeline=None)
