"""Each work-around, where it is needed and where it is not.

What happens at import is tried in a process of its own.
"""
import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, Dict, Optional

import cv2
import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub

from lmim import compat, safe_globals

PACKAGE = Path(compat.__file__).resolve().parent.parent
# Names that NumPy dropped and the stack reads.
DROPPED = ('bool', 'complex', 'int0', 'sctypes')
# Only the work-arounds, without the rest of the package.
ALONE = ('import sys, types\n'
         "package = sys.modules['lmim'] = types.ModuleType('lmim')\n"
         f"package.__path__ = [{str(PACKAGE / 'lmim')!r}]\n"
         'from lmim import compat\n')
needs_allow_list = pytest.mark.skipif(
    not hasattr(torch.serialization, 'add_safe_globals'),
    reason='torch before 2.4 has no list of allowed types')


def run(code: str, *paths: Path, cwd: Optional[Path] = None) -> str:
    """What a fresh Python prints; ``paths`` come first on its path."""
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(map(str, paths)))
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', code],
                          env=env,
                          cwd=cwd,
                          capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def fake_package(root: Path, **files: str) -> Path:
    """Write ``name__sub='source'`` as ``root/name/sub.py``."""
    for name, source in files.items():
        path = root.joinpath(*name.split('__')).with_suffix('.py')
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / '__init__.py').touch()
        path.write_text(source, encoding='utf-8')
    return root


class TestMMCVExtension:

    def test_stand_in_refuses_only_when_called(self) -> None:
        stand_in: Any = compat._MissingExtension('mmcv._ext', 'no operators')
        operator = stand_in.roi_align_forward
        with pytest.raises(NotImplementedError) as error:
            operator(1, groups=2)
        assert '`roi_align_forward`' in str(error.value)
        assert 'no operators' in str(error.value)
        assert 'install the full mmcv' in str(error.value)

    @pytest.mark.parametrize('name', ['__wrapped__', '__file__', '_probe'])
    def test_stand_in_has_no_private_names(self, name: str) -> None:
        stand_in = compat._MissingExtension('mmcv._ext', '')
        with pytest.raises(AttributeError, match=name):
            getattr(stand_in, name)

    def test_lite(self, tmp_path: Path) -> None:
        fake_package(tmp_path, mmcv__ops='')
        out = run(
            ALONE + 'print(compat.provide_mmcv_ext(), '
            'compat.provide_mmcv_ext())\n'
            'import mmcv._ext as ext, inspect\n'
            'print(callable(ext.nms), inspect.unwrap(ext) is ext)', tmp_path)
        assert out.split() == ['True', 'True', 'True', 'True']

    def test_full_mmcv_is_left_alone(self, tmp_path: Path) -> None:
        fake_package(tmp_path, mmcv___ext='')
        (tmp_path / 'mmcv' / '_ext.py').write_text('nms = "compiled"')
        out = run(
            ALONE + 'print(compat.provide_mmcv_ext())\n'
            'import mmcv._ext as ext; print(ext.nms)', tmp_path)
        assert out.split() == ['False', 'compiled']

    def test_extension_for_another_torch(self, tmp_path: Path) -> None:
        """A full mmcv whose extension does not load is named as such."""
        fake_package(tmp_path, mmcv__ops='')
        (tmp_path / 'mmcv' / '_ext.py').write_text(
            'raise ImportError("undefined symbol: _ZN2at")')
        out = run(
            ALONE + 'import warnings\n'
            'with warnings.catch_warnings(record=True) as seen:\n'
            '    warnings.simplefilter("always")\n'
            '    print(compat.provide_mmcv_ext())\n'
            'print(seen[-1].message)\n'
            'import mmcv._ext as ext\n'
            'try: ext.nms()\n'
            'except NotImplementedError as error: print(error)', tmp_path)
        done, warned, raised = out.splitlines()
        assert done == 'True'
        for text in (warned, raised):
            assert 'another torch: undefined symbol: _ZN2at' in text

    def test_no_mmcv_at_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ('mmcv', 'mmcv._ext'):
            monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.setattr(compat.importlib.util, 'find_spec',
                            lambda name: None)
        with pytest.raises(ImportError, match='pip install .mmcv-lite'):
            compat.provide_mmcv_ext()

    def test_error_of_mmcv_itself_is_not_hidden(self, tmp_path: Path) -> None:
        fake_package(tmp_path, mmcv__ops='')
        (tmp_path / 'mmcv' / '__init__.py').write_text(
            'raise ImportError("libGL.so.1")')
        out = run(
            ALONE + 'try: compat.provide_mmcv_ext()\n'
            'except ImportError as error: print(error)', tmp_path)
        assert out == 'libGL.so.1'


class TestTorchvision:

    def fake(self, root: Path, source: str) -> Path:
        fake_package(root, torchvision__ops='')
        (root / 'torchvision' / '__init__.py').write_text(source)
        return root

    def test_missing_schemas_are_defined(self, tmp_path: Path) -> None:
        source = ('import torch\n'
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
            'print(torch.ops.torchvision.qnms.default._schema)',
            self.fake(tmp_path, source))
        done, nms, qnms = out.splitlines()
        assert done == 'True True'
        arguments = '(Tensor dets, Tensor scores, float iou_threshold)'
        assert nms == f'torchvision::nms{arguments} -> Tensor'
        assert qnms == f'torchvision::qnms{arguments} -> Tensor'

    def test_working_extension_is_left_alone(self, tmp_path: Path) -> None:
        """Defining an operator twice would be an error of torch's."""
        source = ('import torch\n'
                  'library = torch.library.Library("torchvision", "DEF")\n'
                  'library.define("nms(Tensor dets, Tensor scores, '
                  'float iou_threshold) -> Tensor")\n')
        out = run(
            ALONE + 'print(compat.provide_torchvision_ops(), '
            'compat._LIBRARIES)', self.fake(tmp_path, source))
        assert out == 'False []'

    def test_other_errors_are_not_hidden(self, tmp_path: Path) -> None:
        out = run(
            ALONE + 'try: compat.provide_torchvision_ops()\n'
            'except RuntimeError as error: print(error)',
            self.fake(tmp_path, 'raise RuntimeError("out of cheese")'))
        assert out == 'out of cheese'

    def test_transforms_run(self) -> None:
        from torchvision.transforms import functional
        image = torch.full((3, 2, 2), 100, dtype=torch.uint8)
        assert functional.adjust_brightness(image, 0.5).unique().item() == 50


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

    def test_numpy_1_keeps_its_own(self) -> None:
        if np.lib.NumpyVersion(np.__version__) >= '2.0.0b1':
            pytest.skip('this is NumPy 2')
        out = run(
            'import numpy\nbefore = numpy.sctypes\n' + ALONE +
            'print(sorted(compat.restore_numpy_names()), '
            'numpy.sctypes is before)')
        assert 'sctypes' not in out.split('] ')[0]
        assert 'int0' not in out.split('] ')[0]
        assert out.endswith('True')

    @pytest.mark.parametrize('chooser', ['OneOf', 'SomeOf'])
    def test_imgaug_in_a_pipeline(self, chooser: str) -> None:
        from imgaug import augmenters
        from mmocr.datasets.transforms import ImgAugWrapper
        image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
        choice = dict(cls=chooser, children=[augmenters.Fliplr(1.0)])
        if chooser == 'SomeOf':
            choice['n'] = 1
        wrapper = ImgAugWrapper(args=[choice])
        result = wrapper.transform(dict(img=image.copy()))
        assert np.array_equal(result['img'], image[:, ::-1])

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
    def test_only_a_new_one_is_skipped(self, tmp_path: Path, source: str,
                                       skipped: bool) -> None:
        fake_package(
            tmp_path,
            transformers__modeling_utils=source,
            mmpretrain__utils__dependency=self.FLAG)
        (tmp_path / 'mmpretrain' / '__init__.py').write_text(
            'from mmpretrain.utils.dependency import WITH_MULTIMODAL')
        out = run(
            ALONE + 'print(compat.skip_mmpretrain_multimodal(), '
            'compat.skip_mmpretrain_multimodal())\n'
            'import mmpretrain; print(mmpretrain.WITH_MULTIMODAL)', tmp_path)
        assert out.split() == [str(skipped)] * 2 + [str(not skipped)]

    def test_without_transformers(self, tmp_path: Path) -> None:
        fake_package(tmp_path, mmpretrain__utils__dependency=self.FLAG)
        out = run(
            ALONE + 'compat.importlib.util.find_spec = lambda name, find='
            'compat.importlib.util.find_spec: '
            'None if name == "transformers" else find(name)\n'
            'print(compat.skip_mmpretrain_multimodal())', tmp_path)
        assert out == 'False'


@needs_allow_list
class TestCheckpoints:

    @staticmethod
    def saved(path: Path, content: Any) -> Any:
        torch.save(content, path)
        return torch.load(path, map_location='cpu', weights_only=True)

    def test_message_hub_comes_back(self, tmp_path: Path) -> None:
        hub = MessageHub.get_instance('test_compat')
        hub.update_scalar('train/loss', 3.0)
        hub.update_scalar('train/loss', 1.0)
        hub.update_info('best_score', np.float64(0.25))
        hub.update_info('kept', np.arange(4, dtype=np.int64))
        state = self.saved(tmp_path / 'epoch_1.pth', hub.state_dict())
        buffer = state['log_scalars']['train/loss']
        assert type(buffer) is HistoryBuffer
        assert buffer.mean() == 2.0 and buffer.current() == 1.0
        assert buffer.statistics('max') == 3.0
        assert state['runtime_info']['best_score'] == 0.25
        assert state['runtime_info']['kept'].tolist() == [0, 1, 2, 3]

    @pytest.mark.parametrize('kind', [
        '?', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8'
    ])
    def test_numbers_come_back(self, tmp_path: Path, kind: str) -> None:
        array = np.array([0, 1, 1], dtype=kind)
        state = self.saved(tmp_path / 'a.pth', [array, array[1]])
        assert state[0].dtype == array.dtype and state[0].tolist() == [0, 1, 1]
        assert type(state[1]) is type(array[1]) and state[1] == 1

    @pytest.mark.parametrize('old, new', [
        (b'cnumpy.core.', b'cnumpy._core.'),
        (b'cnumpy._core.', b'cnumpy.core.'),
    ])
    def test_written_by_the_other_numpy(self, tmp_path: Path, old: bytes,
                                        new: bytes) -> None:
        """Files name NumPy's functions by the version that wrote them."""
        torch.save([np.arange(3.), np.float32(0.5)], tmp_path / 'here.pth')
        with zipfile.ZipFile(tmp_path / 'here.pth') as here, \
                zipfile.ZipFile(tmp_path / 'other.pth', 'w') as other:
            for name in here.namelist():
                other.writestr(name, here.read(name).replace(old, new))
        array, number = torch.load(tmp_path / 'other.pth', weights_only=True)
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
            self, tmp_path: Path, call: Callable, args: tuple) -> None:
        path = tmp_path / 'evil.pth'
        torch.save({'state_dict': Call(call, args)}, path)
        with pytest.raises((pickle.UnpicklingError, ValueError)):
            torch.load(path, map_location='cpu', weights_only=True)

    def test_list_is_closed(self) -> None:
        """Nothing that runs, looks up or reads; ``getattr`` is not itself."""
        allowed = safe_globals.allow_mmengine_checkpoints()
        assert allowed == safe_globals.allow_mmengine_checkpoints()
        for entry in (getattr, eval, exec, __import__, open, os.system):
            assert entry not in allowed
        names = {f'{entry.__module__}.{entry.__name__}' for entry in allowed
                 if not isinstance(entry, type)}
        assert names == {
            'builtins.getattr', 'numpy.core.multiarray._reconstruct',
            'numpy.core.multiarray.scalar',
            'numpy._core.multiarray._reconstruct',
            'numpy._core.multiarray.scalar'
        }
        lookup = next(e for e in allowed if e.__name__ == 'getattr')
        assert lookup(HistoryBuffer, 'mean') is HistoryBuffer.mean
        with pytest.raises(ValueError, match='trust where it comes from'):
            lookup(HistoryBuffer, 'update')

    def test_older_torch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(torch.serialization, 'add_safe_globals')
        assert safe_globals.allow_mmengine_checkpoints() == []


class Call:
    """Pickles as a call of ``function``."""

    def __init__(self, function: Callable, args: tuple) -> None:
        self.call = (function, args)

    def __reduce__(self) -> tuple:
        return self.call


class TestImport:

    def test_twice_changes_nothing(self) -> None:
        assert compat.install() == compat.install()

    def test_after_mmocr(self) -> None:
        """An intact stack may have been imported before; here it is made so
        by the work-arounds."""
        out = run(
            ALONE + 'compat.install()\n'
            'import mmocr.models, mmpretrain.models\n'
            "for name in [n for n in sys.modules if n.split('.')[0] == "
            "'lmim']: del sys.modules[name]\n"
            'import lmim\n'
            'from mmocr.registry import MODELS\n'
            'print(lmim.compat.install()["mmpretrain_multimodal"])', PACKAGE)
        assert out == 'False'

    def test_mmocrs_own_train_script(self, tmp_path: Path) -> None:
        """``custom_imports`` alone, in a folder outside the repository."""
        import mmocr
        script = Path(mmocr.__file__).parent / '.mim' / 'tools' / 'train.py'
        if not script.is_file():
            pytest.skip('this MMOCR was installed without its tools')
        cv2.imwrite(str(tmp_path / 'word.png'),
                    np.arange(32 * 64 * 3, dtype=np.uint8).reshape(32, 64, 3))
        (tmp_path / 'dict.txt').write_text('a\nb')
        (tmp_path / 'labels.json').write_text(
            json.dumps(
                dict(metainfo=dict(
                    dataset_type='TextRecogDataset', task_name='textrecog'),
                     data_list=[
                         dict(img_path='word.png',
                              instances=[dict(text='ab')])
                     ])))
        config = tmp_path / 'config.py'
        config.write_text(MMOCR_CONFIG, encoding='utf-8')
        for extra in ([], ['--resume', '--cfg-options',
                           'train_cfg.max_epochs=2']):
            done = subprocess.run(
                [sys.executable, str(script), 'config.py', '--work-dir',
                 'runs', *extra],
                cwd=tmp_path,
                env=dict(os.environ, PYTHONPATH=str(PACKAGE)),
                capture_output=True,
                text=True)
            assert done.returncode == 0, done.stderr
        state = torch.load(tmp_path / 'runs' / 'epoch_2.pth',
                           map_location='cpu',
                           weights_only=bool(safe_globals
                                             .allow_mmengine_checkpoints()))
        assert state['meta']['epoch'] == 2
        assert 'decoder.decoder.weight' in state['state_dict']


# A linear layer on a noise picture: what is tried is the way to it.
MMOCR_CONFIG = """
custom_imports = dict(imports=['lmim'], allow_failed_imports=False)
default_scope = 'mmocr'
model = dict(
    type='CRNN',
    backbone=dict(type='MiniVGG', leaky_relu=False, input_channels=3),
    decoder=dict(
        type='CRNNDecoder', in_channels=512, rnn_flag=False,
        dictionary=dict(type='Dictionary', dict_file='dict.txt',
                        with_padding=True),
        module_loss=dict(type='CTCModuleLoss', letter_case='lower'),
        postprocessor=dict(type='CTCPostProcessor')),
    data_preprocessor=dict(
        type='TextRecogDataPreprocessor', mean=[127], std=[127]))
train_dataloader = dict(
    batch_size=1, num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='OCRDataset', ann_file='labels.json',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadOCRAnnotations', with_text=True),
            dict(type='TorchVisionWrapper', op='ColorJitter', hue=0.1),
            dict(type='RescaleToHeight', height=32, min_width=32,
                 max_width=64),
            dict(type='PadToWidth', width=64),
            dict(type='PackTextRecogInputs',
                 meta_keys=('img_path', 'ori_shape', 'img_shape',
                            'valid_ratio'))]))
optim_wrapper = dict(type='OptimWrapper',
                     optimizer=dict(type='SGD', lr=0.001))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1)
default_hooks = dict(logger=dict(type='LoggerHook', interval=1))
"""
