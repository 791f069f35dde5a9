# Union14M-U: 10 million word images without labels, as three LMDBs with the
# keys num-samples and image-%09d (from 1). Exact counts are not published.
# LMIM_DATA_ROOT says where the data lies; ./data if it is not set.
union14m_u_data_root = '{{$LMIM_DATA_ROOT:data}}/Union14M-U'
union14m_u_source = dict(
    homepage='https://github.com/Mountchicken/Union14M',
    obtain='Download Union14M-U (37 GB) from the links on the home page.')

union14m_u_pretrain = dict(
    type='TextImageDataset',
    data_root=union14m_u_data_root,
    paths=['book32_lmdb', 'cc_lmdb', 'openvino_lmdb'],
    published=dict(name='Union14M-U'),
    pipeline=None)

# The paper's ablations pre-train on the images of Book32 and OpenImages only.
union14m_u_ablation_pretrain = dict(
    type='TextImageDataset',
    data_root=union14m_u_data_root,
    paths=['book32_lmdb', 'openvino_lmdb'],
    published=dict(name='Union14M-U for ablations'),
    pipeline=None)
