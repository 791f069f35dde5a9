"""What is reported of data before training: paths, labels, numbers."""
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, List, Optional

import pytest
from mmengine.config import Config
from mmocr.models.textrecog.decoders import BaseDecoder
from mmocr.registry import DATASETS, MODELS, TASK_UTILS
from torch import nn

from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.engine.hooks import (
    LabelCheckHook,
    SampleCountHook,
    data_check_hook,
)
from lmim.engine.hooks.data_check_hook import check_data, find_missing
from lmim.evaluation.word_metrics import build_metrics
from tests.datasets.make_lmdb import make_lmdb, picture


@pytest.fixture
def dict_file(tmp_path: Path) -> str:
    path = tmp_path / 'abc.txt'
    path.write_text('\n'.join('abcdef'))
    return str(path)


def json_set(folder: Path, *labels: Optional[str]) -> Any:
    """MMOCR's own kind of set; the pictures need not be there."""
    entries = [
        dict(img_path=f'{number}.png',
             instances=[dict(text=text) if text is not None else {}])
        for number, text in enumerate(labels)
    ]
    path = folder / f'{len(labels)}.json'
    path.write_text(json.dumps(dict(
        metainfo=dict(dataset_type='TextRecogDataset', task_name='textrecog'),
        data_list=entries)))
    return DATASETS.build(dict(
        type='OCRDataset', ann_file=str(path), pipeline=[], _scope_='mmocr'))


def decoder(dict_file: str, loss: str = 'WordLoss', start: bool = False,
            unknown: bool = True, **kwargs: Any) -> Any:
    dictionary = dict(type='Dictionary', dict_file=dict_file, with_end=True,
                      with_padding=True, with_start=start,
                      with_unknown=unknown)
    built = TASK_UTILS.build(dict(dictionary, _scope_='mmocr'))
    return BaseDecoder(built, max_seq_len=6, module_loss=dict(
        type=loss, _scope_='mmocr', **kwargs))


class Log:
    """A logger that keeps what is logged."""

    def __init__(self) -> None:
        self.infos: List[str] = []
        self.warnings: List[str] = []
        self.info, self.warning = self.infos.append, self.warnings.append


@pytest.fixture
def check(tmp_path: Path) -> Any:
    """Runs the hook on a data set and a decoder; what it logged."""

    def run(dataset: Any, decoder: Any, **kwargs: Any) -> List[str]:
        log = Log()
        model = nn.Module()
        model.decoder = decoder
        LabelCheckHook(**kwargs).before_train(SimpleNamespace(
            model=model, logger=log, work_dir=str(tmp_path),
            train_dataloader=SimpleNamespace(dataset=dataset),
            val_loop=None,
            cfg=Config(dict(model=dict(decoder=dict(dictionary=dict(
                dict_file='abc.txt')))))))
        return [*log.infos, *log.warnings]

    return run


def test_letter_case_and_mapping_are_those_of_the_loss(
        check: Any, dict_file: str, tmp_path: Path) -> None:
    dataset = json_set(tmp_path, 'ABC', 'aé')
    line, = check(dataset, decoder(dict_file, letter_case='lower',
                                   on_unknown='map'))
    assert line.startswith('1 of 2') and "'é' (U+00E9)" in line
    assert line.endswith('They are learnt as the unknown token.')


def test_long_and_empty_labels_are_counted(check: Any, dict_file: str,
                                           tmp_path: Path) -> None:
    dataset = json_set(tmp_path, 'abcdef', 'abcdefa', '', None, 'a')
    line, = check(dataset, decoder(dict_file))
    assert '1 of 5 training labels have more than 6 characters' in line
    assert "1.png: 'abcdefa'" in line and '0.png' not in line
    assert '2 of 5 training labels are empty' in line
    assert "2.png: ''" in line and '3.png: None' in line


def test_recognizers_of_mmocr_are_checked_by_their_own_rules(
        check: Any, dict_file: str, tmp_path: Path) -> None:
    dataset = json_set(tmp_path, 'abcdef', 'é', 'abcdefabcdef')
    # A start token takes a place; characters are mapped where they can be.
    cut, unknown = check(dataset, decoder(dict_file, 'CEModuleLoss', True))
    assert '2 of 3' in cut and 'more than 5 characters' in cut
    assert '1 of 3' in unknown and 'learnt as the unknown token' in unknown
    with pytest.raises(ValueError, match='dictionary.with_unknown=True'):
        check(dataset, decoder(dict_file, 'CTCModuleLoss', unknown=False))
    assert len(check(dataset, decoder(dict_file, 'CTCModuleLoss'))) == 1


@pytest.mark.parametrize('kind, count', [('WordMetric', 1),
                                         ('UnicodeWordMetric', 0)])
def test_metrics_that_delete_letters_are_warned_of(
        kind: str, count: int, tmp_path: Path) -> None:
    path = tmp_path / 'dict.txt'
    path.write_text('a\nя\nж\n', encoding='utf-8')
    dataset = json_set(tmp_path, 'я')
    metrics = build_metrics(dict(type=kind, _scope_='mmocr'))
    loop = SimpleNamespace(evaluator=SimpleNamespace(metrics=metrics))
    for use in ('train', 'test'):
        log, model = Log(), nn.Module()
        model.decoder = decoder(str(path))
        getattr(LabelCheckHook(), f'before_{use}')(SimpleNamespace(
            model=model, logger=log, val_loop=loop, test_loop=loop,
            train_dataloader=SimpleNamespace(dataset=dataset),
            work_dir=str(tmp_path), cfg=Config({})))
        assert len(log.warnings) == count
        assert all('2 of the 3 letters' in one for one in log.warnings)


def test_wrapped_sets_and_lmdbs_name_their_records(
        check: Any, dict_file: str, tmp_path: Path) -> None:
    with LMDBWriter(tmp_path / 'good.lmdb') as writer:
        writer.add(picture(1), 'abc')
        writer.add(picture(2), 'a-b')
    # A broken picture is no matter here: no picture is read.
    path = make_lmdb(tmp_path / 'part.lmdb', [picture(1), b'', picture(3)],
                     labels=[b'abc', b'a+'])
    lmdbs = [
        DATASETS.build(dict(type='TextImageDataset', paths=paths,
                            with_text=True, pipeline=[], _scope_='mmocr'))
        for paths in (str(tmp_path / 'good.lmdb'), path)
    ]
    wrapped = SimpleNamespace(dataset=SimpleNamespace(
        datasets=[*lmdbs, json_set(tmp_path, 'e', 'f/')]))
    with pytest.raises(ValueError) as error:
        check(wrapped, decoder(dict_file))
    message = str(error.value)
    assert message.startswith('3 of 7 training labels')
    for name in (f"{tmp_path / 'good.lmdb'} image-000000002: 'a-b'",
                 f"{path} image-000000002: 'a+'", "1.png: 'f/'"):
        assert name in message


def test_many_characters_are_listed_in_a_file(check: Any, dict_file: str,
                                              tmp_path: Path) -> None:
    dataset = json_set(tmp_path, *map(chr, range(0x4E00, 0x4E00 + 100)))
    with pytest.raises(ValueError, match='and 60 more, all in') as error:
        check(dataset, decoder(dict_file))
    listing = tmp_path / data_check_hook.LISTING
    assert str(listing) in str(error.value)
    lines = listing.read_text(encoding='utf-8').splitlines()
    assert len(lines) == 100 and lines[99].startswith("'乣' (U+4E63)")


def test_other_models_are_left_alone(check: Any, tmp_path: Path) -> None:
    """Pre-training has no decoder, or one without a dictionary."""
    assert check(object(), None) == []
    assert check(object(), MODELS.build(dict(
        type='ReconstructionHead', _scope_='mmocr'))) == []


def _loop(*datasets: Any) -> Any:
    both = dict(type='ConcatDataset', datasets=list(datasets),
                _scope_='mmocr')
    return SimpleNamespace(dataloader=SimpleNamespace(
        dataset=DATASETS.build(both)))


def _set(path: Path, count: int, **published: Any) -> Any:
    make_lmdb(path, [picture(1)] * count)
    return dict(type='TextImageDataset', paths=str(path), pipeline=[],
                published=published or None)


@pytest.fixture
def runner(tmp_path: Path) -> Any:
    train = _loop(_set(tmp_path / 'mine', 5))
    test = _loop(
        _set(tmp_path / 'a', 3, name='A', num_samples=3, labels='original'),
        _set(tmp_path / 'b', 2, name='B', num_samples=1015,
             labels='corrected'))
    return SimpleNamespace(logger=Log(), train_loop=train, val_loop=None,
                           test_loop=test)


def test_a_table_and_what_differs(runner: Any) -> None:
    SampleCountHook().before_test(runner)
    assert runner.logger.infos == [
        'Data sets for test:\n'
        '  set  labels     records  published\n'
        '  A    original         3          3\n'
        '  B    corrected        2      1,015'
    ]
    assert len(runner.logger.warnings) == 1
    assert runner.logger.warnings[0].startswith(
        'B has 2 records, and 1,015 are published: results are not '
        'comparable with published ones.')


def test_every_missing_path_is_listed(tmp_path: Path) -> None:
    """By the setting that --cfg-options takes, whatever it is wrapped in."""
    (tmp_path / 'there').mkdir()
    root = str(tmp_path)
    part = dict(type='DummyVectors')
    specs: Any = [dict(path='gone'), dict(path='there', labels='no_labels'),
                  dict(path='there', image_root='no_images')]
    cfg = Config(dict(
        train_dataloader=dict(dataset=dict(
            type='ConcatDataset',
            datasets=[
                dict(part, data_root='roots/a', ann_file='train.json',
                     data_prefix=dict(img_path='images')),
                dict(type='Wrapper', dataset=dict(
                    part, paths=['x', f'{root}/there'])),
                dict(part, data_root='roots/b'),
                dict(part, ann_file='s3://bucket/file'),
                dict(type='TextImageDataset', data_root=root, paths=specs),
            ])),
        val_dataloader=dict(dataset=dict(
            part, data_root=root, paths=dict(path='gone', labels='v')))))
    where = 'train_dataloader.dataset.datasets'
    missing = find_missing(cfg, ('train_dataloader', 'val_dataloader'))
    assert missing == [
        (f'{where}.0.ann_file', 'roots/a/train.json'),
        (f'{where}.0.data_prefix.img_path', 'roots/a/images'),
        (f'{where}.1.dataset.paths', 'x'),
        (f'{where}.2.data_root', 'roots/b/'),
        (f'{where}.4.paths.0.path', f'{root}/gone'),
        (f'{where}.4.paths.1.labels', f'{root}/no_labels'),
        (f'{where}.4.paths.2.image_root', f'{root}/no_images'),
        ('val_dataloader.dataset.paths.labels', f'{root}/v'),
    ]
    with pytest.raises(FileNotFoundError) as error:
        check_data(cfg, ('train_dataloader', ))
    message = str(error.value)
    assert message.startswith('7 path(s) of the data sets do not exist:')
    assert 'data_root=FOLDER' in message and 'lmim data list' in message
    cfg.merge_from_dict({name: root for name, _ in missing[3:7]})
    assert len(find_missing(cfg, ('train_dataloader', ))) == 3
