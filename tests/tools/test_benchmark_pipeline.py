"""`tools/benchmark.py pipeline`."""
import argparse
import importlib
import json

import numpy as np
import cv2
import pytest


@pytest.fixture
def module(repo, monkeypatch):
    """Imports a module of tools/benchmarks."""
    monkeypatch.syspath_prepend(str(repo / 'tools'))
    return lambda name: importlib.import_module(f'benchmarks.{name}')


@pytest.fixture
def run(module):
    def run(*words):
        benchmark = module('pipeline').PipelineBenchmark()
        parser = argparse.ArgumentParser()
        benchmark.add_arguments(parser)
        return benchmark, benchmark.run(parser.parse_args(
            ['--batch', '2', '3', '--batches', '2', '--rounds', '1',
             '--views', '300', *words]))

    return run


def test_crops(run, shared_data, tmp_path):
    source = str(shared_data / 'rec_toy_dataset/imgs.lmdb')
    sheet = tmp_path / 'views.png'
    benchmark, result = run('--source', source, '--profile', '--sheet',
                            str(sheet))
    height, width = cv2.imread(str(sheet)).shape[:2]
    assert width > 7 * 128 and height > 6 * 20  # 7 columns, 6 pictures
    assert result['records'] == 10 and result['source'] == source
    assert [row['batch'] for row in result['batches']] == [2, 3]
    for row in result['batches']:
        assert set(row['rows']) == {'plain', 'ours'}
        assert row['rows']['ours']['ratio'] > 0
    report = benchmark.report(json.loads(json.dumps(result)))
    assert 'grey share' in report and 'batches of 3' in report
    assert 'Self CPU' in report


@pytest.mark.parametrize('option, name', [
    (dict(rotate=(-10, 10)), 'angle, '),
    (dict(piecewise_affine=(0.05, 0.08)), 'displacement'),
    (dict(contrast=None, solarize=None, min_ops=8), 'contrast'),
    (dict(gray_prob=0.5), 'grey share'),
])
def test_views_of_another_distribution_are_refused(module, run, monkeypatch,
                                                   option, name):
    pipeline = module('pipeline')
    view = pipeline.GuidanceView

    def changed(level, size, **others):
        for key, value in option.items():
            # What is left out, or looked at alone, stays so.
            others.setdefault(key, value)
        return view(level, size, **others)

    monkeypatch.setattr(pipeline, 'GuidanceView', changed)
    with pytest.raises(ValueError, match=f'differ in .*{name}'):
        run()


def test_the_plain_view_leaves_out_what_it_is_told_to(module):
    guidance = module('plain.guidance')
    module('pipeline')._seed()
    noise = np.random.RandomState(0).randint(0, 256, (20, 60, 3), np.uint8)
    names = list(guidance._operations())
    view = guidance.PlainGuidanceView(without=names[1:])
    view.recolor = lambda image: image
    # Contrast alone is left: nothing moves, distances from grey shrink.
    plain = np.asarray(guidance.Image.fromarray(noise).resize((128, 32), 3))
    slopes = [np.polyfit(plain.ravel(), view(noise).ravel(), 1)[0]
              for _ in range(20)]
    assert 0.45 < min(slopes) < 0.65 and 0.8 < max(slopes) <= 1.05
