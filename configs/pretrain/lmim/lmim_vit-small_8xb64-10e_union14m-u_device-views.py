# Guidance views made on the device, for GPUs that are quicker than their
# workers, which draw what is done, and resize pictures to twice the size.
_base_ = 'lmim_vit-small_8xb64-10e_union14m-u.py'

model = dict(data_preprocessor=dict(type='GuidanceViewPreprocessor'))

train_dataloader = dict(dataset=dict(pipeline=_base_.device_pipeline))
