"""The base configs of known sets."""
from pathlib import Path

import pytest
from mmengine.config import Config
from mmocr.registry import DATASETS
from mmocr.utils import register_all_modules

from lmim.datasets.known_sets import read_catalogue, read_config
from tests.datasets.make_lmdb import make_lmdb
from tests.lay_data import IMAGES, lay_set

SIX = dict(IIIT5K=3000, SVT=647, IC13_1015=1015, IC15_2077=2077, SVTP=645,
           CUTE80=288)
BENCHMARK = {
    'Curve': 2426, 'Multi-Oriented': 1369, 'Artistic': 900,
    'Contextless': 779, 'Salient': 1585, 'Multi-Words': 829,
    'General': 400_000
}
#: The lists of the configs, and how many images each set is published with.
LISTS = {
    'common_benchmarks_textrecog_test_list': SIX,
    'common_benchmarks_lmdb_textrecog_test_list': SIX,
    'common_benchmarks_corrected_textrecog_test_list': SIX,
    'common_benchmarks_parseq_textrecog_test_list': dict(
        IIIT5K=3000, SVT=647, IC13_857=857, IC15_1811=1811, SVTP=645,
        CUTE80=288),
    'union14m_benchmark_textrecog_test_list': BENCHMARK,
    'union14m_benchmark_lmdb_textrecog_test_list': BENCHMARK,
    'chinese_benchmark_textrecog_train_list': dict(
        Scene=509_164, Web=112_471, Document=400_000, Handwriting=74_603),
    'chinese_benchmark_textrecog_val_list': dict(
        Scene=63_645, Web=14_059, Document=50_000, Handwriting=18_651),
    'chinese_benchmark_textrecog_test_list': dict(
        Scene=63_646, Web=14_059, Document=50_000, Handwriting=23_389),
}
SUMS = {
    'union14m_l_textrecog_train_list': 3_230_742,
    'union14m_l_lmdb_textrecog_train_list': 3_230_742,
    'union14m_l_filtered_textrecog_train_list': 3_230_742 - 6_599,
    'mjsynth_synthtext_textrecog_train_list': 14_442_049,
}


@pytest.fixture(autouse=True)
def registered() -> None:
    register_all_modules()


@pytest.fixture(scope='module')
def everything(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config that has all the base files."""
    bases = sorted(map(str, (repo / 'configs/_base_/datasets').glob('*.py')))
    path = tmp_path_factory.mktemp('everything') / 'config.py'
    path.write_text(f'_base_ = {bases!r}\n')
    return path


@pytest.fixture(scope='module')
def cfg(everything: Path) -> Config:
    return read_config(str(everything), 'data')


def test_bases_can_be_combined_and_follow_the_data_root(
        everything: Path, cfg: Config) -> None:
    assert cfg.union14m_u_pretrain.data_root == 'data/Union14M-U'
    cfg = read_config(str(everything), '/mnt/my data')
    roots = [value for name, value in cfg.items()
             if name.endswith('_data_root')]
    assert len(roots) >= 16
    assert all(root.startswith('/mnt/my data') for root in roots)


def test_counts_and_protocols_are_the_published_ones(cfg: Config) -> None:
    for variable, counts in LISTS.items():
        facts = [each.published for each in cfg[variable]]
        assert {each.name: each.num_samples for each in facts} == counts
        # A table has one protocol.
        assert len({each.labels for each in facts}) == 1, variable
    for variable, total in SUMS.items():
        assert sum(each.published.num_samples
                   for each in cfg[variable]) == total, variable
    by_name = {value.published.name: value.published for value in cfg.values()
               if isinstance(value, dict) and 'published' in value}
    assert by_name['IC13_857'].num_samples == 857
    assert by_name['IC15_1811'].num_samples == 1811
    assert by_name['Incomplete'].num_samples == 1495
    assert not by_name['Incomplete'].in_average
    labels = [cfg[f'common_benchmarks{kind}_textrecog_test_list'][0].published
              .labels for kind in ('', '_lmdb', '_corrected', '_parseq')]
    assert labels == ['original', 'original', 'corrected', 'PARSeq']


def test_each_set_tells_what_it_is_and_builds(tmp_path: Path) -> None:
    """With data laid where it says, in the layout that it says."""
    known = read_catalogue(data_root=str(tmp_path))
    for each in known:
        if each.config != 'ard':
            lay_set(each.dataset, 2)
    (tmp_path / 'ARD/Openimages').mkdir(parents=True)
    for part in ('TextOCR', 'Openimages/train_1', 'Openimages/validation'):
        make_lmdb(tmp_path / 'ARD' / part, IMAGES[:2], [b'Ab1', b'word'])
    for each in known:
        own = each.config in ('rendered', 'unlabelled', 'labelled')
        assert each.source['obtain'] and own != ('homepage' in each.source)
        facts = set(each.published)
        assert {'name'} <= facts <= {'name', 'num_samples', 'labels',
                                     'benchmark', 'in_average'}, each
        labelled = each.kind != 'pre-training'
        assert each.dataset.get('with_text', False) == labelled, each
        assert own or ('labels' in facts) == labelled, each
        assert each.dataset.get('test_mode', False) == (
            each.kind in ('validation', 'test')), each
        dataset = DATASETS.build(dict(each.dataset, _scope_='mmocr'))
        places = 3 if each.config == 'ard' else len(each.paths)
        assert len(dataset) == 2 * places, each
        assert dataset.published == each.published
        if labelled:
            assert dataset[0]['instances'] == [dict(text='Ab1')], each
        assert dataset[1]['img'].shape == (24, 60, 3)
