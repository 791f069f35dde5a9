# SeqCLR on a ViT. The paper's choices are one option each:
#   projection       model.neck.projection=none | linear | bilstm
#   instances        model.neck.mapping=all | window | frame
#   windows          model.neck.num_windows=5
#   negatives        model.head.gather=True: of all processes
# The paper's encoder is a CNN of one row; here the 8 rows of patches are
# averaged first. The width of the projection is ours.
model = dict(
    type='SeqCLR',
    backbone=dict(
        type='TextViT', arch='small', img_size=(32, 128), patch_size=4),
    neck=dict(
        type='SequenceProjector',
        in_dims=384,
        out_dims=256,
        projection='bilstm',
        mapping='window',
        num_windows=5,
        grid=(32 // 4, 128 // 4)),
    head=dict(type='ContrastiveHead', temperature=0.1, gather=False))
