# Ablation: pixels as the target.
_base_ = 'lmim_vit-small_8xb64-5e_book32-openimages.py'

model = dict(
    neck=dict(out_dims=4 * 4 * 3),
    target_generator=dict(
        _delete_=True, type='PixelTarget', patch_size=4, norm_pix=True))
