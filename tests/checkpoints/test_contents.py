"""Files of checkpoints: what is in them, and how they are written."""
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
from mmengine.runner import CheckpointLoader

from lmim.checkpoints import (CheckpointError, open_checkpoint,
                              read_checkpoint, write_checkpoint)
from lmim.checkpoints.reading import is_safetensors
from tests.checkpoints.tiny import Runs, assert_same, checkpoint, weights_of

META = {'cfg': 'model = dict(type="MIM")', 'epoch': 3,
        'dictionary': {'characters': ['a', '中'], 'with_end': True}}


def test_file_of_torch(tmp_path: Path) -> None:
    weights = weights_of('our recognizer')
    path = tmp_path / 'deep' / 'new.pth'
    write_checkpoint(checkpoint(weights)._replace(meta=META), path)
    read = open_checkpoint(path)
    assert_same(read.weights, weights)
    assert read.kind is not None and read.kind.key == 'ours'
    assert read.characters() == ['a', '中']
    assert read.model_config() == {'type': 'MIM'}
    assert read.meta['epoch'] == 3 and read.others == []
    # Any code reads it, with the check of torch on.
    content = torch.load(path, weights_only=True)
    assert list(content) == ['meta', 'state_dict']


def test_file_of_safetensors(tmp_path: Path) -> None:
    safetensors = pytest.importorskip('safetensors')
    weights = {**weights_of('our MAE'), 'n': torch.tensor(3),
               'half': torch.ones(3).bfloat16()}
    weights['tied'] = weights['half']
    weights['view'] = torch.arange(6.).reshape(2, 3).t()
    path = tmp_path / 'new.safetensors'
    write_checkpoint(checkpoint(weights)._replace(meta=META), path)
    read = open_checkpoint(path)
    assert_same(read.weights, weights)
    assert {**read.meta, **META} == read.meta
    with safetensors.safe_open(str(path), 'pt') as file:
        texts = file.metadata()
    assert texts['lmim_format'] == 'ours' and texts['format'] == 'pt'
    assert texts['config'] == META['cfg']
    assert '中' in texts['dictionary']
    # MMEngine's own loading, as of `load_from`.
    loaded = CheckpointLoader.load_checkpoint(str(path))
    assert_same(loaded['state_dict'], weights)


def test_damaged_safetensors(tmp_path: Path) -> None:
    pytest.importorskip('safetensors')
    path = tmp_path / 'whole.safetensors'
    write_checkpoint(checkpoint(weights_of('timm')), path)
    content = path.read_bytes()
    assert is_safetensors(path)
    for share in (0, 0.2, 0.99):
        path.write_bytes(content[:int(share * len(content))])
        with pytest.raises(CheckpointError, match='truncated, or no file of '
                           'safetensors'):
            read_checkpoint(path)
    other = tmp_path / 'by_content'
    other.write_bytes(content)
    assert is_safetensors(other)
    assert set(open_checkpoint(other).weights) == set(weights_of('timm'))


def test_without_the_library(tmp_path: Path) -> None:
    path = tmp_path / 'new.safetensors'
    with mock.patch.dict(sys.modules, {'safetensors': None}):
        with pytest.raises(CheckpointError, match='pip install safetensors'):
            write_checkpoint(checkpoint(weights_of('timm')), path)
        assert not list(tmp_path.iterdir())
        path.write_bytes(b'')
        with pytest.raises(CheckpointError, match='to read .*new.safetens'):
            read_checkpoint(path)


def test_a_broken_write_leaves_the_old_file(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / 'old.pth'
    path.write_bytes(b'old')

    def full(content: Any, file: Path) -> None:
        file.write_bytes(b'half')
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(torch, 'save', full)
    with pytest.raises(OSError, match='No space'):
        write_checkpoint(checkpoint(weights_of('timm')), path, True)
    assert path.read_bytes() == b'old'
    assert [file.name for file in tmp_path.iterdir()] == ['old.pth']


@pytest.mark.parametrize('zipped', [True, False])
def test_code_is_skipped_and_not_run(tmp_path: Path, zipped: bool) -> None:
    path, made = tmp_path / 'in.pth', tmp_path / 'made'
    weights = weights_of('mae')
    torch.save({'model': weights, 'extra': Runs(made), 'epoch': 7,
                'meta': {'seed': 1, 'odd': Runs(made)},
                'more': [Path.cwd, Runs(made).__reduce__]}, path,
               _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match='refused: .*mkdir') as error:
        open_checkpoint(path)
    assert f'convert {path} NEW_FILE --skip-code' in str(error.value)
    read = open_checkpoint(path, skip_code=True)
    assert_same(read.weights, weights)
    assert any('mkdir' in name for name in read.skipped)
    assert read.meta == {'seed': 1, 'epoch': 7}
    assert not made.exists()


def test_a_refusal_does_not_advise_to_load_without_care(
        tmp_path: Path) -> None:
    """As torch's own message does, where what is in it cannot be told."""
    path = tmp_path / 'in.pth'
    rebuild = torch._utils._rebuild_tensor_v2

    class Rebuilt:
        def __reduce__(self) -> tuple:
            return rebuild, (Runs(tmp_path / 'made'), 0, (1, ), (1, ), False,
                             OrderedDict())

    torch.save({'a': torch.ones(1), 'extra': Rebuilt()}, path)
    with pytest.raises(CheckpointError, match='refused: .*mkdir') as error:
        open_checkpoint(path)
    assert 'weights_only' not in str(error.value)
    assert not (tmp_path / 'made').exists()


def test_whole_models_and_programs(tmp_path: Path) -> None:
    path = tmp_path / 'model.pth'
    torch.save(torch.nn.Linear(1, 1), path)
    with pytest.raises(CheckpointError, match='holds a Linear.*state_dict'):
        open_checkpoint(path, skip_code=True)
    torch.jit.script(torch.nn.Linear(1, 1)).save(str(path))
    for skip_code in (False, True):
        with pytest.raises(CheckpointError, match='program of TorchScript'):
            open_checkpoint(path, skip_code)
