"""Checkpoints: written whole, removed last, refused where they do not fit."""
import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any, List

import pytest
import torch
from engine_dummies import (
    DummyModel,
    assert_equal,
    make_cfg,
    resumed,
    train,
    validated,
    with_val,
)
from mmengine.config import Config
from mmengine.runner import Runner, find_latest_checkpoint
from mmocr.registry import EVALUATOR

from lmim.engine.hooks.checkpoint_hook import (
    AtomicLocalBackend,
    SafeCheckpointHook,
    find_resumable,
    metric_keys,
)
from lmim.utils.atomic import write_atomic
from lmim.utils.errors import CheckpointError, UserError
from tests.tool_runs import mini_config


def _names(folder: Path) -> List[str]:
    return sorted(p.name for p in folder.glob('*.pth'))


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> List[str]:
    """Renames and removals, in their order."""
    seen: List[str] = []
    replace, remove = os.replace, AtomicLocalBackend.remove

    def log_replace(old: Any, new: Any) -> None:
        replace(old, new)
        seen.append(f'+{Path(new).name}')

    def log_remove(self: Any, path: Any) -> None:
        remove(self, path)
        seen.append(f'-{Path(path).name}')

    monkeypatch.setattr(os, 'replace', log_replace)
    monkeypatch.setattr(AtomicLocalBackend, 'remove', log_remove)
    return seen


def test_old_checkpoints_go_after_the_new_ones_came(tmp_path: Path,
                                                    events: List[str]) -> None:
    train(make_cfg(tmp_path, interval=3, max_keep_ckpts=1))
    assert events == [
        '+iter_3.pth', '+last_checkpoint',
        '+iter_6.pth', '+last_checkpoint', '-iter_3.pth',
        '+iter_8.pth', '+last_checkpoint', '-iter_6.pth',
    ]  # yapf: disable
    assert find_latest_checkpoint(str(tmp_path)) == str(
        tmp_path / 'iter_8.pth')


def test_the_best_checkpoint_goes_after_the_better_one_came(
        tmp_path: Path, events: List[str]) -> None:
    cfg = make_cfg(tmp_path, epochs=3, by_epoch=True, max_keep_ckpts=1,
                   save_best='acc', rule='greater')
    train(with_val(cfg, [0.5, 0.7, 0.6]))
    assert events == [
        '+epoch_1.pth', '+last_checkpoint',
        '+best_acc_epoch_1.pth', '+epoch_1.pth', '+last_checkpoint',
        '+epoch_2.pth', '+last_checkpoint', '-epoch_1.pth',
        '+best_acc_epoch_2.pth', '+epoch_2.pth', '+last_checkpoint',
        '-best_acc_epoch_1.pth',
        '+epoch_3.pth', '+last_checkpoint', '-epoch_2.pth',
    ]  # yapf: disable
    assert _names(tmp_path) == ['best_acc_epoch_2.pth', 'epoch_3.pth']


def test_resumed_runs_keep_counting(tmp_path: Path) -> None:
    settings = dict(by_epoch=True, max_keep_ckpts=2, save_best='acc',
                    rule='greater')
    train(with_val(make_cfg(tmp_path, epochs=2, **settings), [0.5, 0.4]))
    cfg = with_val(make_cfg(tmp_path, 'on', epochs=4, **settings), [0.6, 0.3])
    cfg.resume = True
    train(cfg)
    assert _names(tmp_path) == [
        'best_acc_epoch_3.pth', 'epoch_3.pth', 'epoch_4.pth'
    ]


def test_a_failed_write_leaves_the_last_checkpoint(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(make_cfg(tmp_path, interval=4, save_last=False))
    (tmp_path / 'iter_8.pth').unlink()
    whole = (tmp_path / 'iter_4.pth').read_bytes()

    def full(*args: Any) -> None:
        raise OSError(28, 'No space left on device')

    cfg = make_cfg(tmp_path, 'on', interval=2, max_keep_ckpts=1)
    cfg.resume = True
    with monkeypatch.context() as patch:
        patch.setattr(os, 'fsync', full)
        with pytest.raises(OSError, match='No space'):
            train(cfg)
    assert _names(tmp_path) == ['iter_4.pth']
    assert (tmp_path / 'iter_4.pth').read_bytes() == whole
    # Nothing takes up space; what a killed run leaves, the next clears away.
    assert not list(tmp_path.glob('*.partial'))
    (tmp_path / 'iter_6.pth.partial').write_bytes(b'half')
    cfg = make_cfg(tmp_path, 'on again', interval=8, max_keep_ckpts=1)
    cfg.resume = True
    runner = train(cfg)
    assert runner.iter == 8 and not list(tmp_path.glob('*.partial'))


def test_a_moved_work_dir_is_resumed(tmp_path: Path) -> None:
    train(make_cfg(tmp_path / 'old', interval=3, max_keep_ckpts=2))
    (tmp_path / 'old' / 'iter_8.pth').unlink()
    write_atomic(tmp_path / 'old' / 'last_checkpoint',
                 str(tmp_path / 'old' / 'iter_6.pth').encode())
    shutil.move(str(tmp_path / 'old'), str(tmp_path / 'new'))
    cfg = make_cfg(tmp_path / 'new', 'on', interval=100)
    cfg.resume = True
    runner = train(cfg)
    assert len(runner.train_dataloader.dataset.loaded) == 16
    assert_equal(runner, train(make_cfg(tmp_path / 'whole', interval=100)))


@pytest.mark.parametrize('pointer', [None, '', '/nowhere/iter_9.pth'])
def test_without_a_pointer_the_newest_is_found(tmp_path: Path,
                                               pointer: Any) -> None:
    for age, name in enumerate(['epoch_2.pth', 'iter_10.pth', 'epoch_1.pth']):
        (tmp_path / name).write_bytes(b'x')
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    (tmp_path / 'best_acc_epoch_1.pth').write_bytes(b'')
    (tmp_path / 'iter_11.pth.partial').write_bytes(b'')
    if pointer is not None:
        (tmp_path / 'last_checkpoint').write_text(pointer)
    assert find_resumable(tmp_path) == str(tmp_path / 'epoch_2.pth')
    assert find_resumable(tmp_path / 'none') is None


@pytest.mark.parametrize('left', [0, 1, 1000, -1])
def test_a_damaged_checkpoint_is_passed_over(
        tmp_path: Path, capsys: pytest.CaptureFixture, left: int) -> None:
    first, second = tmp_path / 'iter_1.pth', tmp_path / 'iter_2.pth'
    for age, path in enumerate([second, first]):
        torch.save({'weights': torch.zeros(1000)}, path)
        os.utime(path, (1000 - age, 1000 - age))
    (tmp_path / 'last_checkpoint').write_text(str(second))
    assert find_resumable(tmp_path) == str(second)
    second.write_bytes(second.read_bytes()[:left])
    assert find_resumable(tmp_path) == str(first)
    assert capsys.readouterr().out == (
        f'{second} is damaged, cut off or empty: {first} is taken.\n')
    first.write_bytes(b'')
    with pytest.raises(CheckpointError, match='no other checkpoint'):
        find_resumable(tmp_path)


def _test_cfg(work_dir: Path, checkpoint: Path, **kwargs) -> Config:
    cfg = with_val(make_cfg(work_dir, **kwargs), [0.5])
    cfg.test_dataloader = cfg.val_dataloader
    cfg.test_cfg = dict(type='TestLoop')
    cfg.test_evaluator = cfg.val_evaluator
    cfg.load_from = str(checkpoint)
    return cfg


def test_testing_needs_every_weight(tmp_path: Path, finished: Path) -> None:
    path = finished / 'iter_8.pth'
    runner = Runner.from_cfg(_test_cfg(tmp_path, path))
    runner.test()
    assert_equal(runner, path)
    cfg = _test_cfg(tmp_path, path, name='wide', model=dict(width=16))
    with pytest.raises(CheckpointError) as error:
        Runner.from_cfg(cfg).test()
    for words in ('1 tensors loaded, 0 missing, 5 of another shape',
                  'layers.0.weight ((8, 4) in the file, (16, 4) in the',
                  'checkpoint_guard.allow_mismatch=True'):
        assert words in str(error.value)
    cfg.default_hooks.checkpoint_guard.allow_mismatch = True
    cfg.experiment_name += 'allowed'
    assert Runner.from_cfg(cfg).test() == dict(acc=0.5)


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    path = tmp_path / 'authors.pth'
    torch.save(dict(model=DummyModel().state_dict(), args=dict(lr=1)), path)
    with pytest.raises(CheckpointError, match='no "state_dict" but model'):
        Runner.from_cfg(_test_cfg(tmp_path, path)).test()


def test_training_may_start_from_a_part(tmp_path: Path) -> None:
    state = DummyModel().state_dict()
    del state['layers.3.bias']
    state['module.layers.0.bias'] = state.pop('layers.0.bias')  # of DDP
    torch.save(dict(state_dict=state), tmp_path / 'part.pth')
    cfg = make_cfg(tmp_path, epochs=2, interval=100)
    cfg.load_from = str(tmp_path / 'part.pth')
    runner = train(cfg)
    log = Path(runner.log_dir, f'{runner.timestamp}.log').read_text()
    assert '5 tensors loaded, 1 missing, 0 of another shape' in log
    torch.save(dict(state_dict=dict(other=torch.zeros(1))),
               tmp_path / 'part.pth')
    cfg.experiment_name += 'none'
    with pytest.raises(CheckpointError, match='0 tensors loaded, 6 missing'):
        train(cfg)


def test_what_cannot_be_resumed_is_refused(tmp_path: Path,
                                           finished: Path) -> None:
    whole = finished / 'iter_4.pth'
    best, cut = tmp_path / 'best.pth', tmp_path / 'cut.pth'
    torch.save(dict(state_dict=DummyModel().state_dict(),
                    meta=dict(epoch=1, iter=4)), best)
    cut.write_bytes(whole.read_bytes()[:2000])
    for path, model, kind, message in (
            (best, {}, CheckpointError, 'no state of the optimizer'),
            (whole, dict(width=16), CheckpointError, '5 of another shape'),
            (cut, {}, CheckpointError, 'truncated'),
            (tmp_path / 'none.pth', {}, FileNotFoundError,
             'none.pth does not exist')):
        with pytest.raises(kind, match=message):
            train(resumed(make_cfg(tmp_path, message, model=model), path))


KEYS = ['recog/word_acc', 'recog/word_acc_ignore_case_symbol',
        'recog/1-N.E.D']


def test_keys_of_every_recognizers_validation_are_known() -> None:
    cfg = Config.fromfile(mini_config('textrecog/transformer')).val_evaluator
    evaluator = EVALUATOR.build(dict(cfg, _scope_='mmocr'))
    keys = metric_keys(evaluator)
    assert keys is not None
    assert {'rendered/recog/word_acc', 'rendered/recog/1-N.E.D',
            'rendered/recog/run_length_acc'} <= set(keys)


def test_keys_of_figures_are_known_beforehand() -> None:
    assert metric_keys(validated().val_loop.evaluator) == KEYS
    assert metric_keys(validated('a', 'b').val_loop.evaluator) == [
        f'{prefix}/{key}' for prefix in 'ab' for key in KEYS]
    unknown = EVALUATOR.build(dict(
        type='Evaluator', metrics=dict(type='DummyMetric'), _scope_='mmocr'))
    assert metric_keys(unknown) is None


@pytest.mark.parametrize('wanted, prefixes, found', [
    ('word_acc', ['own'], 'own/recog/word_acc'),
    ('recog/word_acc', [], 'recog/word_acc'),
    ('1-N.E.D', ['own'], 'own/recog/1-N.E.D'),
    ('b/recog/word_acc', ['a', 'b'], 'b/recog/word_acc'),
    ('auto', ['a', 'b'], 'auto'),
])
def test_keys_of_the_best_are_completed(wanted: str, prefixes: List[str],
                                        found: str) -> None:
    hook = SafeCheckpointHook(save_best=wanted)
    hook._find_best_keys(validated(*prefixes))
    assert hook.key_indicators == [found]
    assert hook.rules == [None if wanted == 'auto' else 'greater']


@pytest.mark.parametrize('wanted, prefixes, told', [
    ('word_acc', ['a', 'b'], 'fits several of .*: a/recog/word_acc, b/recog'),
    ('accuracy', ['own'], 'is not one of .*: own/recog/word_acc, own/recog'),
])
def test_a_best_that_will_not_be_there_is_refused(
        wanted: str, prefixes: List[str], told: str) -> None:
    with pytest.raises(UserError, match=told):
        SafeCheckpointHook(save_best=wanted, rule='greater')._find_best_keys(
            validated(*prefixes))
    with pytest.raises(UserError, match='needs a validation'):
        SafeCheckpointHook(save_best='acc')._find_best_keys(
            SimpleNamespace(val_loop=None))
    with pytest.raises(UserError, match='Add rule="greater"'):
        SafeCheckpointHook(save_best='hmean_iou_of_mine')


def test_weights_of_a_compiled_model_are_loaded(tmp_path: Path,
                                                finished: Path) -> None:
    content = torch.load(finished / 'iter_8.pth', weights_only=True)
    content['state_dict'] = {f'_orig_mod.{name}': value for name, value
                             in content['state_dict'].items()}
    torch.save(content, tmp_path / 'compiled.pth')
    runner = train(resumed(make_cfg(tmp_path), tmp_path / 'compiled.pth'))
    assert_equal(runner, finished / 'iter_8.pth')


@pytest.mark.parametrize('value', [float('nan'), float('-inf')])
def test_weights_that_are_not_finite_are_refused(
        tmp_path: Path, finished: Path, value: float) -> None:
    content = torch.load(finished / 'iter_8.pth', weights_only=True)
    content['state_dict']['layers.0.weight'][1, 2] = value
    torch.save(content, tmp_path / 'bad.pth')
    with pytest.raises(CheckpointError, match='1 of its weights are not '
                                              'finite .*: layers.0.weight'):
        train(resumed(make_cfg(tmp_path), tmp_path / 'bad.pth'))
