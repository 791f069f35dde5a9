# AdamW with a warm-up of one epoch and a cosine to 0, both per iteration.
# The paper: blr 1.5e-4 for each 256 images, 8 GPUs x 64 images, 10 epochs.
optim_wrapper = dict(
    type='OptimWrapper',
    # One group for decayed, one for undecayed tensors.
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(
        type='AdamW',
        lr=1.5e-4 * 512 / 256,
        betas=(0.9, 0.95),
        weight_decay=0.05),
    # No decay on 1-D tensors, as in MAE: norms and all biases, also those
    # that are not called `bias` (`in_proj_bias`).
    paramwise_cfg=dict(flat_decay_mult=0.))
# More images for each update, or clipped gradients:
#   --cfg-options optim_wrapper.accumulative_counts=4
#   --cfg-options optim_wrapper.clip_grad.max_norm=1.0

# --auto-scale-lr multiplies the rate by effective batch / base_batch_size.
auto_scale_lr = dict(base_batch_size=512)

# Both end with the training, whatever max_epochs is.
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-4,
        by_epoch=True,
        begin=0,
        end=1,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        eta_min=0.,
        by_epoch=True,
        begin=1,
        convert_to_iter_based=True)
]

train_cfg = dict(type='ResumableEpochLoop', max_epochs=10)
