"""Curves from MMEngine's logs."""
import json

import pytest

from lmim.visualization import draw_curves, draw_scalars, read_scalars
from lmim.visualization.curves import default_scalars


def log(work_dir, part: str, entries: list, end: str = '\n') -> None:
    folder = work_dir / part / 'vis_data'
    folder.mkdir(parents=True)
    text = '\n'.join(json.dumps(entry) for entry in entries) + end
    (folder / 'scalars.json').write_text(text)


def test_resumed_run_is_one_curve(tmp_path):
    log(tmp_path, '20260101_000000',
        [dict(loss=3., iter=10), dict(loss=2., iter=20)],
        end='\n{"loss": 1.')  # killed while it was writing
    log(tmp_path, '20260102_000000',
        [dict(loss=1.5, iter=20), dict(loss=1., lr=0.1, iter=30)])
    scalars = read_scalars(tmp_path)
    assert scalars['loss'] == ([10, 20, 30], [3., 1.5, 1.])
    assert scalars['lr'] == ([30], [0.1])


def test_panels_and_names(tmp_path):
    log(tmp_path / 'a', 'x', [dict(loss=3., iter=1), dict(loss=2., iter=2)])
    log(tmp_path / 'b', 'x', [dict(loss=5., iter=1)])
    figure = draw_curves({'first': {'one': tmp_path / 'a'},
                          'both': {'one': tmp_path / 'a',
                                   'two': tmp_path / 'b',
                                   'none': tmp_path / 'missing'}})
    first, both = figure.axes
    assert first.get_title() == 'first'
    assert first.lines[0].get_ydata().tolist() == [3., 2.]
    assert [line.get_label() for line in both.lines] == ['one', 'two']
    assert both.lines[1].get_xdata().tolist() == [1]


def test_what_is_looked_at_first():
    assert default_scalars(['lr', 'time', 'loss_align', 'loss', 'loss_recon',
                            'grad_norm', 'cute80/recog/word_acc']) == [
        'loss', 'loss_align', 'loss_recon', 'lr', 'grad_norm',
        'cute80/recog/word_acc']
    # One part only: the sum is the same.
    assert default_scalars(['loss_ce', 'loss', 'time']) == ['loss']


def test_a_panel_for_each_scalar_a_line_for_each_run():
    runs = {'a': {'loss': ([1, 2], [3., 1.]), 'lr': ([1, 2], [.1, .2])},
            'b': {'loss': ([1], [2.])}}
    figure = draw_scalars(runs, log=True)
    loss, lr = figure.axes
    assert [line.get_label() for line in loss.lines] == ['a', 'b']
    assert loss.lines[0].get_ydata().tolist() == [3., 1.]
    assert (loss.get_yscale(), lr.get_yscale()) == ('log', 'linear')
    assert [len(lr.lines), lr.get_title()] == [1, 'lr']
    with pytest.raises(ValueError, match='grad_norm was not logged.*clip'):
        draw_scalars(runs, ['grad_norm'])
