"""Runs that get no word right, each for another reason."""
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Dict, List

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmengine.structures import LabelData
from mmocr.registry import DATASETS

from lmim.apis.loading import build_model
from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.engine.hooks.zero_accuracy_hook import check_labels
from lmim.models.textrecog import CTCWordScorePostprocessor
from tests.datasets.make_lmdb import picture
from tests.tool_runs import mini_config

WORDS = ['one', 'two', 'six', 'ten']
VIT = 'model.backbone.vit'


def write(folder: Path, words: List[str]) -> str:
    """An LMDB of words; what its pictures show is no matter."""
    path = folder / f'{"-".join(words)[:20]}.lmdb'
    if not path.exists():
        with LMDBWriter(path) as writer:
            for number, word in enumerate(words):
                writer.add(picture(number), word)
    return str(path)


def tiny(folder: Path, options: Dict[str, Any],
         words: List[str] = WORDS) -> Config:
    """A config of two epochs of two updates, without other checks."""
    cfg = Config.fromfile(mini_config('textrecog/ctc'))
    data: Dict[str, Any] = {}
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        data.update({f'{name}.batch_size': 2, f'{name}.num_workers': 0,
                     f'{name}.persistent_workers': False,
                     f'{name}.pin_memory': False,
                     f'{name}.dataset.data_root': '',
                     f'{name}.dataset.paths': write(
                         folder, WORDS if name[:2] == 'tr' else words)})
    cfg.model.backbone.vit.pop('arch')  # a name, not to be merged with
    for name in ('loss_check', 'label_check', 'pictures'):
        cfg.default_hooks.pop(name)
    cfg.merge_from_dict({
        'work_dir': str(folder), 'experiment_name': folder.name,
        'visualizer.name': folder.name, 'train_cfg.max_epochs': 2,
        'train_cfg.val_interval': 1, f'{VIT}.arch': dict(
            embed_dims=128, num_layers=1, num_heads=4,
            feedforward_channels=64),
        f'{VIT}.init_cfg': None,
        'default_hooks.checkpoint.interval': 9, **data, **options})
    return cfg


@pytest.fixture
def weights(tmp_path: Path) -> str:
    """A recognizer for `load_from`."""
    path = tmp_path / 'recognizer.pth'
    torch.manual_seed(0)
    model: Any = build_model(tiny(tmp_path, {}).model.to_dict(), empty=False)
    torch.save(dict(state_dict=model.state_dict(), meta=dict(iter=7)), path)
    return str(path)


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch
         ) -> Callable[..., List[str]]:
    """Runs a config that reads what it is told to; the hook's messages."""

    def run(options: Dict[str, Any], read: Any = lambda number, label: str(
            number), words: List[str] = WORDS, test: bool = False
            ) -> List[str]:
        numbers = iter(range(1000))

        def write_text(self: Any, probs: Any, samples: Any) -> Any:
            for sample in samples:
                text = read(next(numbers), sample.gt_text.item)
                sample.pred_text = LabelData(item=text, score=[.5] * len(text))
            return samples

        monkeypatch.setattr(CTCWordScorePostprocessor, '__call__', write_text)
        # The log does without what takes seconds.
        monkeypatch.setattr('mmengine.config.config.FormatCode',
                            lambda text, **kwargs: (text, False))
        monkeypatch.setattr('mmengine.runner.runner.collect_env', dict)
        runner = Runner.from_cfg(tiny(tmp_path, options, words))
        log = Path(runner.log_dir, f'{runner.timestamp}.log')
        # Runs that begin within one second share the file.
        before = len(log.read_text())
        runner.test() if test else runner.train()
        return [part.partition('\n20')[0]
                for part in log.read_text()[before:].split('WARNING - ')[1:]
                if part.startswith('No word of ')]

    return run


def causes(message: str) -> List[str]:
    """The names of the causes in a message."""
    lines = [line.strip() for line in message.splitlines()]
    return [line[3:].partition(':')[0] for line in lines
            if line[:2] in ('1.', '2.', '3.')]


def test_where_nothing_is_wrong_it_is_early(
        said: Any, weights: str) -> None:
    message, = said({'load_from': weights})  # once, after the first epoch
    assert message.startswith('No word of 4 was read right. Likely why:')
    assert causes(message) == ['Too early']
    assert '2 updates so far, of 4, and nothing wrong' in message
    for fine in ('4 of 4 validation labels can be written',
                 '4 of 4 training labels can be written',
                 'pictures give different texts',
                 'the learning rate is 0.002 at its peak', 'the loss went',
                 'of model.backbone.vit are trained',
                 f'the encoder was loaded with {weights}'):
        assert fine in message.partition('In order: ')[2]


def test_a_word_that_is_right_says_nothing(said: Any) -> None:
    assert said({}, lambda number, label: label if number % 4 == 2 else '-'
                ) == []


@pytest.mark.parametrize('options, cause, told', [
    ({'optim_wrapper.optimizer.lr': 0.}, 'A learning rate of 0',
     'no weight changes'),
    ({'optim_wrapper.optimizer.lr': 50., 'optim_wrapper.clip_grad': None,
      'param_scheduler': []}, 'A learning rate that is too high',
     'at a rate of 50 at its peak'),
    ({f'{VIT}.frozen_stages': 1}, 'A frozen encoder',
     'of model.backbone.vit are trained'),
    ({'load_from': None}, 'An encoder that was not loaded',
     f'{VIT}.init_cfg names no checkpoint'),
])
def test_settings_are_the_cause(said: Any, weights: str,
                                options: Dict[str, Any], cause: str,
                                told: str) -> None:
    message = said({'load_from': weights, **options})[-1]
    assert causes(message) == [cause] and told in message
    assert message.count('Fix: ') == 1


@pytest.mark.parametrize('words, cause, told', [
    (['één', 'twee', 'drieë', 'viér'],
     'Validation labels outside the dictionary',
     '3 of 4 validation labels have characters that are not in the'),
    (['', '', 'a', 'b'], 'Validation labels too long, or empty',
     '2 of 4 validation labels are empty'),
])
def test_labels_are_the_cause(said: Any, weights: str, words: List[str],
                              cause: str, told: str) -> None:
    message = said({'load_from': weights}, words=words)[0]
    assert causes(message) == [cause] and told in message


def test_every_picture_gives_the_same_text(said: Any, weights: str) -> None:
    first, = said({'load_from': weights}, lambda number, label: 'the')
    assert causes(first) == ['Constant prediction']
    assert "all 4 pictures give 'the'" in first


def test_another_cause_is_reported_when_it_comes(said: Any,
                                                 weights: str) -> None:
    messages = said({'load_from': weights}, lambda number, label: str(
        number if number < 4 else ''))
    assert [causes(message) for message in messages] == [
        ['Too early'], ['Constant prediction']]


def test_an_encoder_of_which_a_part_was_loaded(said: Any, weights: str,
                                               tmp_path: Path) -> None:
    held = torch.load(weights)['state_dict']
    dropped = 'backbone.vit.layers.0.attn.qkv.weight'
    part = str(tmp_path / 'part.pth')
    torch.save(dict(state_dict={
        name: value for name, value in held.items() if name != dropped}), part)
    message, = said({'load_from': part})
    assert causes(message) == ['An encoder of which only a part was loaded']
    assert f'lacks {dropped}' in message
    torch.save(dict(state_dict={
        name.replace('backbone.vit.', 'backbone.'): value
        for name, value in held.items() if name != dropped
        and name.startswith('backbone.')}), part)
    message, = said({f'{VIT}.init_cfg': dict(
        type='Pretrained', checkpoint=part, allow_partial=True)})
    assert causes(message) == ['An encoder of which only a part was loaded']
    assert 'missing: layers.0.attn.qkv.weight' in message


def test_a_test_is_looked_into_too(said: Any, weights: str) -> None:
    message, = said({'load_from': weights}, lambda number, label: 'the',
                    test=True)
    assert causes(message) == ['Constant prediction']
    message, = said({'load_from': weights}, test=True)
    assert causes(message) == ['Too early']
    assert 'the checkpoint was saved after 7 iterations' in message


def test_long_labels_are_those_above_the_decoders_limit(
        tmp_path: Path) -> None:
    """CTC has no limit of its own; an autoregressive decoder has."""
    cfg = Config.fromfile(mini_config('textrecog/transformer'))
    model = build_model(cfg.model.to_dict())
    loader = SimpleNamespace(dataset=DATASETS.build(dict(
        type='TextImageDataset', with_text=True, pipeline=[],
        paths=write(tmp_path, ['a' * 30, 'b' * 9, 'c' * 8]), _scope_='mmocr')))
    found, = check_labels(model, dict(test=loader))
    assert found[0] == 'Test labels too long, or empty'  # type: ignore
    assert '2 of 3 test labels have more than 8 characters' in found[1]
