"""The base configs of known sets, and MMOCR's own reader of lists."""
import pytest
from mmengine.config import Config
from mmocr.registry import DATASETS
from mmocr.utils import register_all_modules
from torch.utils.data import DataLoader, default_collate

from lmim.datasets import UnlabelledTextDataset

NAMES = ('union14m_u', 'union14m_l', 'union14m_benchmark',
         'common_benchmarks', 'unlabelled')


@pytest.fixture(autouse=True)
def registered():
    register_all_modules()


@pytest.fixture
def load(repo, tmp_path):
    """Load a config that has all the base files."""

    def load_bases(*names):
        folder = repo / 'configs' / '_base_' / 'datasets'
        bases = [str(folder / f'{name}.py') for name in names]
        path = tmp_path / 'config.py'
        path.write_text(f'_base_ = {bases!r}\n')
        return Config.fromfile(path)

    return load_bases


def test_bases_can_be_combined_and_follow_the_data_root(load, monkeypatch):
    monkeypatch.delenv('LMIM_DATA_ROOT', raising=False)
    cfg = load(*NAMES)
    assert cfg.union14m_u_pretrain.data_root == 'data/Union14M-U'
    monkeypatch.setenv('LMIM_DATA_ROOT', '/mnt/my data')
    cfg = load(*NAMES)
    assert cfg.union14m_u_pretrain.data_root == '/mnt/my data/Union14M-U'
    assert len(cfg.union14m_l_textrecog_train_list) == 5
    assert len(cfg.union14m_benchmark_textrecog_test_list) == 7
    assert len(cfg.common_benchmarks_textrecog_test_list) == 6
    for name in NAMES:
        assert cfg[f'{name}_data_root'].startswith('/mnt/my data')


def test_missing_lmdbs_of_union14m_u_are_all_listed(load, monkeypatch):
    monkeypatch.setenv('LMIM_DATA_ROOT', '/nowhere')
    cfg = load('union14m_u')
    with pytest.raises(FileNotFoundError) as error:
        DATASETS.build(dict(cfg.union14m_u_pretrain, pipeline=[]))
    for name in ('book32_lmdb', 'cc_lmdb', 'openvino_lmdb'):
        assert f'/nowhere/Union14M-U/{name}' in str(error.value)


def test_own_folder_through_the_config(load, shared_data):
    cfg = load('unlabelled')
    cfg.unlabelled_pretrain.paths = str(shared_data / 'rec_toy_dataset')
    dataset = DATASETS.build(
        dict(cfg.unlabelled_pretrain,
             pipeline=[dict(type='Resize', scale=(128, 32)),
                       dict(type='PackPretrainInputs')]))
    assert isinstance(dataset, UnlabelledTextDataset)
    batch = next(iter(DataLoader(
        dataset, batch_size=10, collate_fn=default_collate)))
    assert batch['inputs'].shape == (10, 3, 32, 128)
    assert batch['data_samples'].tolist() == list(range(10))


@pytest.mark.parametrize('separator', [' ', '\t'])
def test_lists_with_space_and_tab(shared_data, tmp_path, separator):
    root = shared_data / 'rec_toy_dataset'
    lines = (root / 'old_label.txt').read_text().splitlines()
    path = tmp_path / 'list.txt'
    path.write_text('\n'.join(x.replace(' ', separator) for x in lines))
    dataset = DATASETS.build(
        dict(
            type='RecogTextDataset',
            ann_file=str(path),
            data_prefix=dict(img_path=str(root / 'imgs')),
            parser_cfg=dict(type='LineStrParser', separator=separator),
            pipeline=[
                dict(type='SetSampleSeed'),
                dict(type='LoadImageFromFile'),
                dict(type='LoadOCRAnnotations', with_text=True),
            ]))
    assert len(dataset) == 10
    assert dataset[4]['gt_texts'] == ['03/09/2009']
    assert dataset[4]['img'].shape == (25, 119, 3)
