"""Early stopping: its figure is there, by its short name, or refused."""
from types import SimpleNamespace

import pytest
from engine_dummies import validated
from mmocr.registry import HOOKS

from lmim.utils.errors import UserError


def test_the_monitored_figure_is_completed() -> None:
    hook = HOOKS.build(dict(type='EarlyStoppingHook', monitor='1-N.E.D',
                            min_delta=0., patience=1))
    hook.before_train(validated('own'))
    assert (hook.monitor, hook.rule) == ('own/recog/1-N.E.D', 'greater')
    runner = SimpleNamespace(
        train_loop=SimpleNamespace(stop_training=False),
        logger=SimpleNamespace(info=lambda text: None))
    stopped = []
    for figure in (.5, .6, .4):
        hook.after_val_epoch(runner, {'own/recog/1-N.E.D': figure})
        stopped.append(runner.train_loop.stop_training)
    assert stopped == [False, False, True]


def test_a_figure_that_will_not_be_there_is_refused() -> None:
    with pytest.raises(UserError, match='EarlyStoppingHook.monitor=.accuracy. '
                                        'is not one of .*own/recog/word_acc'):
        HOOKS.build(dict(type='EarlyStoppingHook', monitor='accuracy')
                    ).before_train(validated('own'))
    with pytest.raises(UserError, match='Add rule="greater"'):
        HOOKS.build(dict(type='EarlyStoppingHook', monitor='hmean'))
