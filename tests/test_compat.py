"""Each work-around, where it is needed and where it is not."""
import importlib
import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, Dict, Iterator

import numpy as np
import pytest

from lmim import compat
from tests.fresh_python import ALONE, fake_package, run

# Names that NumPy dropped and the stack reads.
DROPPED = ('bool', 'complex', 'int0', 'sctypes')
Fakes = Callable[..., None]


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fakes]:
    """Puts packages (:func:`fake_package`; ``init`` is the last one's own
    file) in the place of those of the same names, for a while."""
    before = dict(sys.modules)

    def put(init: str = '', **files: str) -> None:
        fake_package(tmp_path, **files)
        if init:
            package = list(files)[-1].split('__')[0]
            (tmp_path / package / '__init__.py').write_text(init)
        roots = {name.split('__')[0] for name in files}
        for name in before:
            if name.split('.')[0] in roots:
                sys.modules.pop(name, None)
        monkeypatch.syspath_prepend(str(tmp_path))

    yield put
    for name in [name for name in sys.modules if name not in before]:
        del sys.modules[name]
    sys.modules.update(before)


class TestMMCVExtension:

    def test_lite(self, fakes: Fakes) -> None:
        fakes(mmcv__ops='')
        assert compat.provide_mmcv_ext() and compat.provide_mmcv_ext()
        stand_in = importlib.import_module('mmcv._ext')
        assert callable(stand_in.nms)
        assert inspect.unwrap(stand_in) is stand_in  # type: ignore

    def test_full_mmcv_is_left_alone(self, fakes: Fakes) -> None:
        fakes(mmcv___ext='nms = "compiled"')
        assert not compat.provide_mmcv_ext()
        assert importlib.import_module('mmcv._ext').nms == 'compiled'

    def test_extension_for_another_torch(self, fakes: Fakes) -> None:
        """A full mmcv whose extension does not load is named as such."""
        fakes(mmcv__ops='',
              mmcv___ext='raise ImportError("undefined symbol: _ZN2at")')
        message = 'another torch: undefined symbol: _ZN2at'
        with pytest.warns(UserWarning, match=message):
            assert compat.provide_mmcv_ext()
        with pytest.raises(NotImplementedError, match=message):
            importlib.import_module('mmcv._ext').nms()

    def test_no_mmcv_at_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ('mmcv', 'mmcv._ext'):
            monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.setattr(compat.importlib.util, 'find_spec',
                            lambda name: None)
        with pytest.raises(ImportError, match='pip install .mmcv-lite'):
            compat.provide_mmcv_ext()

    def test_error_of_mmcv_itself_is_not_hidden(self, fakes: Fakes) -> None:
        fakes('raise ImportError("libGL.so.1")', mmcv__ops='')
        with pytest.raises(ImportError, match='libGL.so.1'):
            compat.provide_mmcv_ext()


class TestTorchvision:

    def test_missing_schemas_are_defined(self, tmp_path: Path) -> None:
        fake_package(tmp_path, torchvision__ops='')
        (tmp_path / 'torchvision' / '__init__.py').write_text(
            'import torch\n'
            'try: torch.ops.torchvision.nms\n'
            'except (AttributeError, RuntimeError):\n'
            '    raise RuntimeError('
            '"operator torchvision::nms does not exist")\n')
        out = run(
            ALONE + 'import torch\n'
            'print(compat.provide_torchvision_ops(), '
            'compat.provide_torchvision_ops())\n'
            'import torchvision\n'
            'print(torch.ops.torchvision.nms.default._schema)\n'
            'print(torch.ops.torchvision.qnms.default._schema)', tmp_path)
        done, nms, qnms = out.splitlines()
        assert done == 'True True'
        arguments = '(Tensor dets, Tensor scores, float iou_threshold)'
        assert nms == f'torchvision::nms{arguments} -> Tensor'
        assert qnms == f'torchvision::qnms{arguments} -> Tensor'

    def test_working_extension_is_left_alone(
            self, fakes: Fakes, monkeypatch: pytest.MonkeyPatch) -> None:
        """Defining an operator twice would be an error of torch's."""
        monkeypatch.setattr(compat, '_LIBRARIES', [])
        fakes('nms = "works"', torchvision__ops='')
        assert not compat.provide_torchvision_ops()
        assert compat._LIBRARIES == []

    def test_other_errors_are_not_hidden(self, fakes: Fakes) -> None:
        fakes('raise RuntimeError("out of cheese")', torchvision__ops='')
        with pytest.raises(RuntimeError, match='out of cheese'):
            compat.provide_torchvision_ops()


class TestNumPy:
    NAMES: Dict[str, Any] = {'bool': np.bool_, 'complex': complex,
                             'int0': np.intp}

    @pytest.mark.parametrize('name', DROPPED)
    def test_missing_name_is_given(self, name: str,
                                   monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(compat, '_NUMPY_NAMES', [])
        monkeypatch.setattr(compat, 'np', self.numpy_without(name))
        assert compat.restore_numpy_names() == [name]
        assert compat.restore_numpy_names() == [name]  # said once, kept
        given = vars(compat.np)[name]
        if name == 'sctypes':
            assert np.float32 in given['float'] and np.uint8 in given['uint']
            assert np.int64 in given['int']
        else:
            assert given is self.NAMES[name]

    def test_names_that_are_there_are_left_alone(
            self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(compat, '_NUMPY_NAMES', [])
        whole = self.numpy_without('')
        monkeypatch.setattr(compat, 'np', whole)
        assert compat.restore_numpy_names() == []
        assert whole.int0 == 'of this NumPy'

    @staticmethod
    def numpy_without(name: str) -> ModuleType:
        """A module with NumPy's types and all names at risk but one."""
        module = ModuleType('numpy')
        vars(module).update({
            key: value
            for key, value in vars(np).items()
            if key not in (*DROPPED, '__getattr__')
        })
        for key in DROPPED:
            if key != name:
                setattr(module, key, 'of this NumPy')
        return module


class TestTransformers:
    NEW = ''  # without the names that mmpretrain imports
    OLD = ('GenerationConfig = GenerationMixin = object\n'
           'def apply_chunking_to_forward(): ...\n')
    FLAG = 'WITH_MULTIMODAL = True\n'

    @pytest.mark.parametrize('source, skipped', [(NEW, True), (OLD, False)])
    def test_only_a_new_one_is_skipped(self, fakes: Fakes, source: str,
                                       skipped: bool) -> None:
        fakes('from mmpretrain.utils.dependency import WITH_MULTIMODAL',
              transformers__modeling_utils=source,
              mmpretrain__utils__dependency=self.FLAG)
        assert compat.skip_mmpretrain_multimodal() is skipped
        assert compat.skip_mmpretrain_multimodal() is skipped
        module = importlib.import_module('mmpretrain')
        assert module.WITH_MULTIMODAL is not skipped


def test_install_twice_changes_nothing() -> None:
    assert compat.install() == compat.install()


def test_a_forked_process_computes_on_one_thread() -> None:
    """Those of its parent are not there, and it would wait for them."""
    import multiprocessing

    import torch
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with multiprocessing.get_context('fork').Pool(1) as pool:
            assert pool.apply(torch.get_num_threads) == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
