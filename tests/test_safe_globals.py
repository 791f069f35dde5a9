"""MMEngine's checkpoints load, and nothing that runs does."""
import os
import pickle
import zipfile
from argparse import Namespace
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub

from lmim import safe_globals

Load = Callable[[Path], Any]
has_list = hasattr(torch.serialization, 'add_safe_globals')
needs_list = pytest.mark.skipif(
    not has_list, reason='torch before 2.4 has no list of allowed types')


def torch_load(path: Path) -> Any:
    """As MMEngine loads a checkpoint to resume from."""
    return torch.load(path, map_location='cpu', weights_only=True)


def restricted_load(path: Path) -> Any:
    """As :func:`safe_globals.load` does before torch 2.5."""
    return safe_globals._restricted_load(path, 'cpu', ())


@pytest.fixture(
    params=[torch_load, safe_globals.load, restricted_load],
    ids=['torch.load', 'ours', 'ours before torch 2.5'])
def load(request: pytest.FixtureRequest) -> Load:
    """Each way that a checkpoint is read."""
    if request.param is torch_load and not has_list:
        pytest.skip('torch before 2.4 has no list of allowed types')
    return request.param


class Call:
    """Pickles as a call of ``function``."""

    def __init__(self, function: Callable, args: tuple) -> None:
        self.call = (function, args)

    def __reduce__(self) -> tuple:
        return self.call


def saved(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


def test_message_hub_comes_back(tmp_path: Path, load: Load) -> None:
    hub = MessageHub.get_instance('test_compat')
    hub.update_scalar('train/loss', 3.0)
    hub.update_scalar('train/loss', 1.0)
    hub.update_info('best_score', np.float64(0.25))
    hub.update_info('kept', np.arange(4, dtype=np.int64))
    state = load(saved(tmp_path / 'epoch_1.pth', hub.state_dict()))
    buffer = state['log_scalars']['train/loss']
    assert type(buffer) is HistoryBuffer
    assert buffer.mean() == 2.0 and buffer.current() == 1.0
    assert buffer.statistics('max') == 3.0
    assert state['runtime_info']['best_score'] == 0.25
    assert state['runtime_info']['kept'].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize('kind', [
    '?', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8'
])
def test_numbers_come_back(tmp_path: Path, load: Load, kind: str) -> None:
    array = np.array([0, 1, 1], dtype=kind)
    state = load(saved(tmp_path / 'a.pth', [array, array[1]]))
    assert state[0].dtype == array.dtype and state[0].tolist() == [0, 1, 1]
    assert type(state[1]) is type(array[1]) and state[1] == 1


@pytest.mark.parametrize('old, new', [
    (b'cnumpy.core.', b'cnumpy._core.'),
    (b'cnumpy._core.', b'cnumpy.core.'),
])
def test_written_by_the_other_numpy(tmp_path: Path, load: Load, old: bytes,
                                    new: bytes) -> None:
    """Files name NumPy's functions by the version that wrote them."""
    torch.save([np.arange(3.), np.float32(0.5)], tmp_path / 'here.pth')
    with zipfile.ZipFile(tmp_path / 'here.pth') as here, \
            zipfile.ZipFile(tmp_path / 'other.pth', 'w') as other:
        for name in here.namelist():
            other.writestr(name, here.read(name).replace(old, new))
    array, number = load(tmp_path / 'other.pth')
    assert array.tolist() == [0, 1, 2] and number == 0.5


@pytest.mark.parametrize('call, args', [
    (os.system, ('echo ran', )),
    (eval, ('1 + 1', )),
    (exec, ('x = 1', )),
    (__import__, ('os', )),
    (getattr, (dict, 'update')),
    (getattr, (HistoryBuffer, '__init__')),
    (getattr, (HistoryBuffer, 'statistics')),
    (getattr, (np.ndarray, 'tofile')),
    (np.load, ('file.npy', )),
])
def test_executable_content_is_refused(
        tmp_path: Path, load: Load, call: Callable, args: tuple) -> None:
    path = saved(tmp_path / 'evil.pth', {'state_dict': Call(call, args)})
    with pytest.raises(pickle.UnpicklingError):
        load(path)


def test_no_program_of_torchscript_is_loaded(tmp_path: Path) -> None:
    """By whatever torch takes for one, also if nobody has noticed before."""
    path = tmp_path / 'program.pth'
    torch.jit.script(torch.nn.Linear(1, 1)).save(str(path))
    with pytest.raises(pickle.UnpicklingError, match='TorchScript'):
        restricted_load(path)


def test_further_types_for_one_file(tmp_path: Path) -> None:
    path = saved(tmp_path / 'mae.pth', {'args': Namespace(lr=0.1)})
    assert safe_globals.load(path, also=[Namespace])['args'].lr == 0.1
    with pytest.raises(pickle.UnpicklingError, match='argparse.Namespace'):
        safe_globals.load(path)
    # What is always allowed still is, also where it was asked for by name.
    path = saved(tmp_path / 'hub.pth', HistoryBuffer([1.0], [1]))
    for _ in range(2):
        assert safe_globals.load(path, also=[HistoryBuffer]).current() == 1.0


def test_weights_and_empty_buffers_come_back(tmp_path: Path,
                                             load: Load) -> None:
    layer = torch.nn.Linear(2, 3).bfloat16()
    state, buffer = load(saved(
        tmp_path / 'a.pth', [layer.state_dict(), HistoryBuffer()]))
    assert buffer.data[0].shape == (0, )
    assert torch.equal(state['weight'], layer.weight)
    assert state['bias'].dtype == torch.bfloat16


@needs_list
def test_list_is_closed() -> None:
    """Nothing that runs, looks up or reads; ``getattr`` is not itself."""
    allowed = safe_globals.allow_mmengine_checkpoints()
    assert allowed == safe_globals.allow_mmengine_checkpoints()
    for entry in (getattr, eval, exec, __import__, open, os.system):
        assert entry not in allowed
    names = {f'{entry.__module__}.{entry.__name__}' for entry in allowed
             if not isinstance(entry, type)}
    assert names == {
        '_codecs.encode', 'builtins.getattr',
        'numpy.core.multiarray._reconstruct',
        'numpy.core.multiarray.scalar',
        'numpy._core.multiarray._reconstruct',
        'numpy._core.multiarray.scalar'
    }
    assert len(torch.serialization.get_safe_globals()) == len(
        set(torch.serialization.get_safe_globals()))
    lookup = next(e for e in allowed if e.__name__ == 'getattr')
    assert lookup(HistoryBuffer, 'mean') is HistoryBuffer.mean
    with pytest.raises(pickle.UnpicklingError, match='trust where'):
        lookup(HistoryBuffer, 'update')
    encode = next(e for e in allowed if e.__name__ == 'encode')
    assert encode('\xff', 'latin1') == b'\xff'
    with pytest.raises(pickle.UnpicklingError, match='zlib'):
        encode('', 'zlib')


@needs_list
def test_older_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.serialization, 'add_safe_globals')
    assert safe_globals.allow_mmengine_checkpoints() == []
