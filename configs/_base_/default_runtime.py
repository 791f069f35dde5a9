default_scope = 'mmocr'
custom_imports = dict(imports=['lmim'], allow_failed_imports=False)

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    # On machines without a GPU tools/train.py takes gloo.
    dist_cfg=dict(backend='nccl'))
randomness = dict(seed=0)

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=100),
    param_scheduler=dict(type='ParamSchedulerHook'),
    # `by_epoch=False, interval=2000` saves within long epochs; --resume goes
    # on from there at the next batch.
    checkpoint=dict(type='SafeCheckpointHook', interval=1, max_keep_ckpts=3),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    sync_buffer=dict(type='SyncBuffersHook'),
    visualization=dict(type='PredictionPicturesHook', enable=False),
    # Fast layers, on CPUs only.
    cpu_kernels=dict(type='CPUKernelsHook'),
    step_seed=dict(type='StepSeedHook'),
    # Of methods with a moving average of the model; none, nothing is done.
    moving_average=dict(type='MovingAverageHook'),
    sample_count=dict(type='SampleCountHook'),
    label_check=dict(type='LabelCheckHook'),
    loss_check=dict(type='LossCheckHook', skip=0),
    log_length=dict(type='LogLengthHook'),
    checkpoint_guard=dict(type='CheckpointGuardHook'),
    train_info=dict(type='TrainInfoHook'),
    # Of an evaluation that gets no word right: the likely cause.
    zero_accuracy=dict(type='ZeroAccuracyHook'),
    # Of pre-training: views and reconstructions, in WORK_DIR/pictures. Within
    # long epochs: `by_epoch=False, interval=2000`.
    pictures=dict(type='PretrainPicturesHook'),
    # Of pre-training: whether features tell pictures apart; a collapse is
    # warned of, and ends the run with `stop=True`.
    representation=dict(type='RepresentationHook'),
    # After a test: tables, and `max_misread` misread words of each set.
    benchmark=dict(type='BenchmarkHook', max_misread=50))

log_level = 'INFO'
log_processor = dict(type='LogProcessor', window_size=10, by_epoch=True)

# --tensorboard of tools/train.py adds dict(type='TensorboardVisBackend').
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(
    type='TextRecogLocalVisualizer',
    name='visualizer',
    vis_backends=vis_backends)

load_from = None
resume = False
