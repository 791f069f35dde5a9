"""Good runs of the mini models, beside which bad ones are tried."""
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest

from tests.datasets.make_lmdb import make_lmdb, noise
from tests.tool_runs import (
    Outcome,
    mini_config,
    run_tool,
    saved_files,
    small_loader,
)

MAE, LMIM, RECOGNIZER = map(
    mini_config, ('pretrain/mae', 'pretrain/lmim', 'textrecog/transformer'))
WORDS = ['Ab1', 'word', 'LMIM', 'x', 'seven', '8', 'nine', 'ten']
DATA = 'train_dataloader.dataset.paths'


def training(paths: Any, **changes: Any) -> Dict[str, Any]:
    """Options: two epochs of two iterations on a set of eight words."""
    return {
        DATA: paths, **small_loader('train_dataloader', 4),
        'train_cfg.max_epochs': 2, 'default_hooks.logger.interval': 1,
        **changes
    }


def recognizing(room: Path, **changes: Any) -> Dict[str, Any]:
    """The same for the recognizer, which is evaluated on these words, too."""
    words = room / 'words.lmdb'
    return training(words, **{
        'model.backbone.init_cfg.checkpoint': room / 'mae/epoch_2.pth',
        'val_dataloader.dataset.paths': words,
        'test_dataloader.dataset.paths': words,
        **small_loader('val_dataloader', 4),
        **small_loader('test_dataloader', 4), 'train_cfg.val_interval': 5,
        **changes
    })


@pytest.fixture(scope='session')
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, and a good run of each of the three models."""
    room = tmp_path_factory.mktemp('room')
    make_lmdb(room / 'words.lmdb', noise(len(WORDS)),
              [word.encode() for word in WORDS])
    runs = {
        'mae': (MAE, training('words.lmdb')),
        'lmim': (LMIM, training('words.lmdb', **{
            'model.target_generator.checkpoint': 'mae/epoch_2.pth'})),
        'recognizer': (RECOGNIZER, recognizing(room)),
    }
    for options in (runs['mae'][1], runs['lmim'][1]):
        options['train_dataloader.dataset.data_root'] = room
    for name, (config, options) in runs.items():
        outcome = run_tool('train.py', room, config, '--work-dir', name,
                           options=options)
        assert outcome.code == 0, outcome.stderr
    return room


@pytest.fixture
def nothing_lost(room: Path) -> Iterator[None]:
    """What was written before is there afterwards, every byte of it."""
    before = {path: saved_files(path) for path in room.glob('*/')}
    assert sum(map(len, before.values())) == 9
    yield
    assert {path: saved_files(path) for path in before} == before


def refused(outcome: Outcome, *words: Any) -> str:
    """Exit status 1, one message that has these words, no traceback."""
    message = outcome.stderr
    assert outcome.code == 1, message
    assert message.startswith('\nError: '), message
    assert 'Traceback' not in message
    for word in words:
        assert str(word) in message, f'{word!r} is not in:\n{message}'
    return message
