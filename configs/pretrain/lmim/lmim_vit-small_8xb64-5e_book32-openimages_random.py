# Ablation: features of a frozen, untrained encoder as the target.
_base_ = 'lmim_vit-small_8xb64-5e_book32-openimages.py'

model = dict(
    target_generator=dict(
        _delete_=True,
        type='RandomFeatureTarget',
        encoder=dict(
            type='TextViT', arch='small', img_size=(32, 128), patch_size=4)))
