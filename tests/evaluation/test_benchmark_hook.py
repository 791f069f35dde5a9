"""From a run of the test loop to files in the work dir."""
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from lmim.evaluation import BenchmarkHook

from .oracle import evaluation_cfg, write_words


@pytest.fixture
def cfg(tmp_path: Path) -> Config:
    """Four sets of two benchmarks, read with known errors."""
    dictionary = tmp_path / 'dictionary.txt'
    dictionary.write_text('\n'.join('abcdefgh'))
    facts = dict(labels='original', benchmark='Union14M benchmark')
    sets = {
        'one': dict(
            paths=str(write_words(tmp_path / '1.lmdb', ['ab', 'cd', 'E-f'])),
            published=dict(facts, name='Curve', num_samples=3)),
        'two': dict(
            paths=str(write_words(tmp_path / '2.lmdb', ['abcdefgha'])),
            published=dict(facts, name='Salient', num_samples=9)),
        'cut': dict(
            paths=str(write_words(tmp_path / '3.lmdb', ['gh'])),
            published=dict(facts, name='Incomplete', in_average=False)),
        'mine': dict(paths=str(write_words(tmp_path / '4.lmdb', ['ab', '']))),
    }
    model = dict(type='Oracle', dict_file=str(dictionary),
                 readings=dict(cd='cb', gh='a', abcdefgha='abcdefgh'))
    return evaluation_cfg(tmp_path / 'run', sets, model)


def run(cfg: Config) -> Any:
    return Runner.from_cfg(cfg).test()


def test_tables_and_sheet_are_written(cfg: Config, tmp_path: Path) -> None:
    metrics = run(cfg)
    assert metrics['one/recog/word_acc_ignore_case_symbol'] == 0.6667
    work_dir = tmp_path / 'run'
    loaded = json.loads((work_dir / 'model_benchmark.json').read_text())
    union, mine = loaded['tables']
    assert union['title'] == 'Union14M benchmark'
    assert [(row['name'], row['accuracy'], row['too_long'], row['outside'])
            for row in union['sets']] == [
                ('Curve', 66.6667, 0, 1), ('Salient', 0., 1, 0),
                ('Incomplete', 0., 0, 0)]
    assert union['averages']['Avg']['accuracy'] == 33.3333
    assert union['averages']['W-Avg']['accuracy'] == 50.
    # A set of which nothing is published is called by its prefix.
    assert [(row['name'], row['accuracy'], row['empty'])
            for row in mine['sets']] == [('mine', 50., 1)]
    page = (work_dir / 'model_benchmark.md').read_text()
    assert '| Salient    | 1 (published: 9) |     0.0 |' in page
    assert 'the recognizer writes 8 characters, 8 a word' in page
    log = next(work_dir.glob('*/*.log')).read_text()
    assert page in log and f'{work_dir}/model_misread.html' in log
    assert (work_dir / 'model_benchmark.csv').read_text().count('\n') == 7
    sheet = (work_dir / 'model_misread.html').read_text()
    assert '<h2>Curve, original labels</h2>' in sheet
    assert sheet.count('<img') == 4


def test_words_are_told_apart_by_length(cfg: Config, tmp_path: Path) -> None:
    cfg.default_hooks.benchmark.by_length = (2, 3, 8)
    run(cfg)
    loaded = json.loads((tmp_path / 'run/model_benchmark.json').read_text())
    *others, table = loaded['tables']
    assert len(others) == 2 and table['title'] == 'By length'
    # 'cd' and 'gh' are misread, 'ab' twice is read; the empty label is of no
    # length, and the longest has nine.
    assert [(row['name'], row['samples'], row['accuracy'])
            for row in table['sets']] == [
                ('1-2 characters', 4, 50.), ('3-3 characters', 1, 100.),
                ('over 8 characters', 1, 0.)]
    assert table['averages'] == {}


def test_evaluators_of_mmocr_are_left_alone(cfg: Config,
                                            tmp_path: Path) -> None:
    cfg.test_evaluator.type = 'MultiDatasetsEvaluator'
    assert run(cfg)['mine/recog/word_acc'] == 0.5
    assert not list(tmp_path.glob('run/*.md'))


def test_a_missing_prefix_ends_the_run_before_it(cfg: Config) -> None:
    cfg.test_evaluator.dataset_prefixes = ['one', 'two']
    with pytest.raises(ValueError, match=r'for each of 4 set\(s\)'):
        run(cfg)


def test_prefixes_for_validation_are_counted_before_training(
        cfg: Config) -> None:
    runner = Runner.from_cfg(cfg)
    loop = runner.test_loop
    training: Any = SimpleNamespace(
        val_loop=loop, val_dataloader=runner.test_dataloader)
    BenchmarkHook().before_train(training)
    loop.evaluator.dataset_prefixes = None
    with pytest.raises(ValueError, match=r'for each of 4 set\(s\)'):
        BenchmarkHook().before_train(training)
    BenchmarkHook().before_train(
        cast(Any, SimpleNamespace(val_loop=None, val_dataloader=None)))
