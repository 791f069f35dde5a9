"""A warning when a representation collapses."""
from types import SimpleNamespace
from typing import Any, List
from unittest.mock import Mock

import pytest
import torch
from mmengine.logging import MessageHub
from mmocr.registry import HOOKS, MODELS

from lmim.models.selfsup import Prediction
from lmim.utils.errors import UserError
from tests.data.make_reference import PRETRAIN
from tests.good_runs import LMIM, training
from tests.tool_runs import log_of, run_tool, scalars_of

SIGN = torch.tensor([1., -1, 1, -1])
BATCH = dict(inputs=[torch.zeros(6, 3, 8, 32, dtype=torch.uint8)] * 2)


def look(found: Prediction, times: int = 1, cfg: Any = None,
         **settings: Any) -> Any:
    """Let the hook look at a prediction; the runner that it has told."""
    model: Any = MODELS.build(dict(cfg or PRETRAIN, _scope_='mmocr'))
    shapes: List[Any] = []

    def predict(inputs: Any, noise: Any, data_samples: Any) -> Prediction:
        assert not model.training and not torch.is_grad_enabled()
        shapes.append([tuple(view.shape) for view in inputs])
        return found

    model.predict = predict
    runner = SimpleNamespace(
        model=model.train(), iter=99, logger=Mock(),
        message_hub=MessageHub.get_instance(f'look{id(found)}'))
    hook = HOOKS.build(dict(type='RepresentationHook', num_pictures=4,
                            **settings))
    for _ in range(times):
        hook.after_train_iter(runner, 0, BATCH)
    assert shapes == [[(4, 3, 8, 32)] * 2] * times and model.training
    return SimpleNamespace(
        warned=[call.args[0] for call in runner.logger.warning.mock_calls],
        logged={name: value.current() for name, value in
                runner.message_hub.log_scalars.items()})


def prediction(std: float, within: float) -> Prediction:
    """With [CLS] around 1, and a target of which a share is within."""
    cls = (1 + std * SIGN).reshape(4, 1, 1)
    target = (within**0.5 * SIGN[None] +
              (1 - within)**0.5 * SIGN[:, None]).unsqueeze(-1)
    return Prediction([cls], torch.ones(4, 4), target, target)


def test_good_figures_are_logged_in_silence():
    told = look(prediction(0.5, 0.4), times=2)
    assert told.warned == []
    assert told.logged == pytest.approx({
        'train/spread': 0.5 / 1.25**0.5, 'train/target_within': 0.4,
        'train/pred_within': 0.4})


def test_a_collapse_is_told_once():
    warning, = look(prediction(0.01, 0.4), times=3).warned
    for words in ('has collapsed: after iteration 100', 'deviation of 0.01 ',
                  'norm of 1 (spread 0.01, less than 0.05)',
                  'model.branches=guidance', 'docs/proving_ground.md'):
        assert words in warning
    warning, = look(prediction(0.01, 0.4),
                    cfg=dict(PRETRAIN, branches='guidance')).warned
    assert 'branches' not in warning and 'optimizer.lr' in warning
    assert look(prediction(0.01, 0.4), min_spread=0.009).warned == []
    with pytest.raises(UserError, match='has collapsed'):
        look(prediction(0.01, 0.4), stop=True)


def test_a_target_of_style_is_told_once():
    warning, = look(prediction(0.5, 0.08), times=3, stop=True).warned
    assert 'The mean of each picture explains 92% of the target' in warning
    assert 'model.target_generator.norm=instance' in warning
    told = look(prediction(0.5, 0.08), min_target_within=0.05)
    assert told.warned == []


def test_instances_are_looked_at_where_they_are_contrasted():
    one = prediction(0.5, 0.4)
    same = torch.tensor([[1.], [2.]]).repeat(4, 1, 1)
    told = look(Prediction(one.tokens, instances=(same, same)))
    assert told.logged == {'train/spread': 0}
    assert 'has collapsed' in told.warned[0]


def test_when_it_looks():
    hook = HOOKS.build(dict(type='RepresentationHook', interval=3))
    hook._look = Mock()
    model = MODELS.build(dict(PRETRAIN, _scope_='mmocr'))
    for iteration in range(7):
        hook.after_train_iter(
            SimpleNamespace(model=model, iter=iteration), 0, BATCH)
    assert [call.args[0].iter for call in hook._look.mock_calls] == [2, 5]
    # Recognizers are left alone.
    hook.after_train_iter(
        SimpleNamespace(model=torch.nn.Linear(1, 1), iter=2), 0, BATCH)
    assert hook._look.call_count == 2
    # One picture has no spread.
    HOOKS.build(dict(type='RepresentationHook'))._look(
        SimpleNamespace(model=None), dict(inputs=BATCH['inputs'][0][:1]))
    for name, least in (('interval', 1), ('num_pictures', 2)):
        with pytest.raises(UserError, match=f'{name} is {least} or more'):
            HOOKS.build({'type': 'RepresentationHook', name: least - 1})


def test_a_run_is_the_same_to_the_bit(room):
    """That of `room` has not looked."""
    options = training('words.lmdb', **{
        'model.target_generator.checkpoint': 'mae/epoch_2.pth',
        'train_dataloader.dataset.data_root': room,
        'default_hooks.representation.interval': 1})
    done = run_tool('train.py', room, LMIM, '--work-dir', 'watched/lmim',
                    options=options)
    assert done.code == 0, done.stderr
    runs = [torch.load(room / name / 'lmim/epoch_2.pth', weights_only=False)
            ['state_dict'] for name in ('.', 'watched')]
    assert runs[0].keys() == runs[1].keys()
    assert all(torch.equal(runs[0][name], runs[1][name]) for name in runs[0])
    lines = scalars_of(room / 'watched/lmim')
    assert len(lines) == 4
    for line in lines:
        assert 0 < line['spread'] < 1.2
        assert 0 <= line['target_within'] <= 1 >= line['pred_within'] >= 0
    assert lines[0]['pred_within'] != lines[1]['pred_within']
    assert 'spread: ' in log_of(room / 'watched/lmim')
