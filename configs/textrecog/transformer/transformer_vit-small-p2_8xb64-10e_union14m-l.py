# The paper's recognizer on patches of 2x2, whose positions are learned: 1,024
# tokens.
_base_ = 'transformer_vit-small_8xb64-10e_union14m-l.py'

model = dict(
    backbone=dict(
        patch_size=2,
        pos_embed='learned',
        # With dropout, whole maps of weights are in memory.
        layer_cfgs=dict(attn_drop_rate=0.),
        init_cfg=dict(
            checkpoint='work_dirs/'
            'pixel-mae_vit-small-p2_8xb64-20e_union14m-u/epoch_20.pth')))

optim_wrapper = dict(
    paramwise_cfg=dict(custom_keys=dict(pos_embed=dict(decay_mult=0.))))
