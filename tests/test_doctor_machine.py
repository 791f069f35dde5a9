"""Machine, devices, folders and data, where something is not right."""
import os
import re
import tempfile
from pathlib import Path
from typing import Any, Dict, List

import mmocr
import pytest
import torch

from lmim import compat
from lmim.doctor import (
    devices,
    kernels,
    machine,
    places,
    shell,
    stores,
    together,
)
from lmim.doctor.finding import Finding

CPUINFO = 'processor\t: 0\nmodel name\t: Fast One\nflags\t\t: {}\n\n'


def by_name(findings: Any) -> Dict[str, Finding]:
    return {each.name: each for each in findings}


class TestMachine:

    @pytest.mark.parametrize('version, level', [
        ((3, 8), 'wrong'), ((3, 9), 'ok'), ((3, 12), 'ok'), ((3, 13), 'note')])
    def test_python(self, version: tuple, level: str) -> None:
        assert machine.python_version(version).level == level

    @pytest.mark.parametrize('flags, level, told', [
        ('avx2 avx512f avx512_bf16 amx_bf16', 'ok',
         'AVX-512, bf16 in AMX tiles, bf16 in AVX-512'),
        ('fpu avx2', 'note', 'train without --amp')])
    def test_processor(self, flags: str, level: str, told: str) -> None:
        finding = machine.processor(CPUINFO.format(flags))
        assert finding.level == level
        assert finding.text.startswith('Fast One, ')
        assert told in finding.text

    @pytest.mark.parametrize('free, level', [
        (8000, 'ok'), (256, 'ok'), (255, 'note'), (64, 'note'), (63, 'wrong')])
    def test_shared_memory(self, free: int, level: str) -> None:
        finding = machine.shared_memory(free)
        assert finding.level == level
        if level == 'wrong':
            assert '--shm-size=8g' in finding.text
            assert finding.command == (
                'sudo mount -o remount,size=8g /dev/shm')

    def test_gpu_that_torch_does_not_use(self) -> None:
        def said(build: Any, **environment: str) -> List[Finding]:
            return list(machine.torch_without_gpu(
                ['GPU 0: Fast One'], build, '2.13.0+cpu', environment))

        assert list(machine.torch_without_gpu([], None, '2.13.0', {})) == []
        built, = said(None)
        assert built.level == 'wrong' and 'built without CUDA' in built.text
        assert built.command.endswith(
            '-m pip install --force-reinstall torch==2.13.0 torchvision')
        driver, = said('12.6')
        assert driver.level == 'wrong' and 'driver is older' in driver.text
        hidden, = said('12.6', CUDA_VISIBLE_DEVICES='')
        assert (hidden.level, hidden.command) == (
            'note', 'unset CUDA_VISIBLE_DEVICES')


class TestDevices:

    @pytest.mark.parametrize('precision, least, most', [
        ('fp32', 1e-8, 1e-5), ('bf16', 5e-4, 1e-2)])
    def test_products(self, precision: str, least: float,
                      most: float) -> None:
        """Errors are those of the precision: it was really computed in it."""
        product = devices.multiply('cpu', precision)
        assert product.computed and product.finite and product.tflops > 0
        assert least < product.error < most

    @pytest.mark.parametrize('product, level', [
        (devices.Product(0.5, True, True, 1.), 'wrong'),
        (devices.Product(float('nan'), True, True, 1.), 'wrong'),
        (devices.Product(1e-5, True, False, 1.), 'wrong'),
        (devices.Product(1e-5, False, True, 1.), 'note'),
        (devices.Product(1e-5, True, True, 1.), 'ok')])
    def test_verdicts(self, monkeypatch: pytest.MonkeyPatch,
                      product: devices.Product, level: str) -> None:
        monkeypatch.setattr(devices, 'multiply', lambda *args: product)
        said = list(devices.check_precisions('cpu'))
        assert {each.level for each in said} == {level}
        if level == 'wrong':
            base = torch.__version__.split('+')[0]
            assert said[0].command.endswith(f'torch=={base}')

    def test_slow_bf16(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            devices, 'multiply', lambda name, precision: devices.Product(
                1e-5, True, True, 2. if precision == 'fp32' else 1.))
        said = by_name(devices.check_precisions('cpu'))
        assert said['cpu fp32'].level == 'ok'
        assert said['cpu bf16'].level == 'note'
        assert said['cpu bf16'].text.endswith('train without --amp')

    def test_attention(self) -> None:
        said = by_name(kernels.check_attention('cpu'))
        if not hasattr(torch.nn, 'attention'):
            assert said['cpu attention'].level == 'note'
            return
        assert said['cpu attention'].level == 'ok'
        assert re.fullmatch('in bfloat16: flash, math',
                            said['cpu attention'].text)

    def test_compile_is_tried_on_request(
            self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(kernels.shutil, 'which', lambda name: name)
        untried, = kernels.check_compile('cpu', thorough=False)
        assert untried.command.endswith('tools/doctor.py --thorough')

        def broken(work: Any) -> Any:
            raise RuntimeError('no headers\nmore')

        monkeypatch.setattr(torch, 'compile', broken)
        tried, = kernels.check_compile('cpu', thorough=True)
        assert (tried.level, tried.text) == (
            'note', 'does not work; nothing needs it: no headers')
        monkeypatch.setattr(torch, 'compile',
                            lambda work: lambda values: work(values) + 1)
        tried, = kernels.check_compile('cpu', thorough=True)
        assert tried.level == 'wrong'
        assert tried.command == 'export TORCH_COMPILE_DISABLE=1'
        monkeypatch.setattr(torch, 'compile', lambda work: work)
        tried, = kernels.check_compile('cpu', thorough=True)
        assert tried.level == 'ok'


class TestFolders:

    @pytest.fixture(autouse=True)
    def elsewhere(self, tmp_path: Path,
                  monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv(places.DATA_ROOT, raising=False)

    def test_no_data_yet(self) -> None:
        """A newcomer has none, and has done nothing wrong."""
        finding = places.data_folder(None)
        assert finding.level == 'note'
        assert finding.command.endswith('tools/data.py render data/rendered')

    def test_commands_with_and_without_the_repository(
            self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shell, 'python', lambda: 'python')
        script = shell.TOOLS / 'data.py'
        assert shell.tool('data', 'list') == f'python {script} list'
        monkeypatch.chdir(shell.TOOLS.parent)
        assert shell.tool('data', 'list') == 'python tools/data.py list'
        monkeypatch.setattr(shell, 'TOOLS', Path('nowhere'))
        assert shell.tool('data', 'list') == 'python -m lmim data list'

    def test_named_data_root_is_missing(
            self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        there = tmp_path / 'my data'
        monkeypatch.setenv(places.DATA_ROOT, str(there))
        finding = places.data_folder(None)
        assert finding.level == 'wrong' and places.DATA_ROOT in finding.text
        assert finding.command == f"mkdir -p '{there}'"
        assert places.data_folder('other').command == (
            f'mkdir -p {tmp_path / "other"}')
        there.mkdir()
        assert places.data_folder(None).level == 'ok'

    def test_data_root_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / 'data').touch()
        finding = places.data_folder(None)
        assert finding.level == 'wrong' and 'is no folder' in finding.text

    def test_work_dir(self, tmp_path: Path,
                      monkeypatch: pytest.MonkeyPatch) -> None:
        assert places.work_folder(Path('a/b')).level == 'ok'
        assert os.listdir(tmp_path) == []  # nothing is left behind
        Path('a').touch()
        finding = places.work_folder(Path('a/b'))
        assert finding.level == 'wrong'
        assert finding.command == f'mv {tmp_path}/a {tmp_path}/a.old'

        def refused(**kwargs: Any) -> None:
            raise PermissionError(13, 'Permission denied')

        monkeypatch.setattr(tempfile, 'NamedTemporaryFile', refused)
        finding = places.work_folder(Path('b'))
        assert finding.level == 'wrong'
        assert 'Permission denied' in finding.text
        assert finding.command == (f'sudo chown -R "$USER" {tmp_path} && '
                                   f'chmod -R u+w {tmp_path}')

    @pytest.mark.skipif(not hasattr(os, 'geteuid') or os.geteuid() == 0,
                        reason='root may write everywhere')
    def test_work_dir_of_somebody_else(self, tmp_path: Path) -> None:
        (tmp_path / 'a').mkdir(mode=0o500)
        assert places.work_folder(Path('a')).level == 'wrong'

    def test_full_disk(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(places, 'ROOM', 1e9)
        finding = places.work_folder(Path('b'))
        assert (finding.level, finding.command[:5]) == ('note', 'df -h')


class TestData:

    def test_sets(self, tmp_path: Path) -> None:
        nothing = by_name(stores.check_sets(dict(data_root=str(tmp_path))))
        assert nothing['data sets found'].level == 'note'
        assert nothing['data sets found'].text.startswith('0 of ')
        assert nothing['data sets found'].command.endswith(
            f'tools/data.py list --data-root {tmp_path}')
        rendered = tmp_path / 'rendered'
        for name in ('train.lmdb', 'test.lmdb', 'train', 'test'):
            (rendered / name).mkdir(parents=True)
        some = by_name(stores.check_sets(dict(data_root=str(tmp_path))))
        assert some['data sets found'].level == 'ok'
        assert 'rendered' in some['data sets found'].text.lower()
        assert some['data sets missing'].text.endswith(' more')

    def test_no_configs(self, tmp_path: Path) -> None:
        finding, = stores.check_sets(dict(configs=str(tmp_path)))
        assert finding.level == 'note' and '--configs DIR' in finding.text

    def test_worker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert stores.worker().level == 'ok'

        def no_memory(*args: Any, **kwargs: Any) -> None:
            raise RuntimeError('unable to write to file </torch_1>')

        monkeypatch.setattr(torch.utils.data, 'DataLoader', no_memory)
        finding = stores.worker()
        assert finding.level == 'wrong' and '</torch_1>' in finding.text
        assert 'train_dataloader.num_workers=0' in finding.command

    def test_fonts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from lmim.rendering import fonts
        monkeypatch.setattr(fonts, 'font_file_with', lambda char: None)
        said = by_name(stores.check_fonts())
        assert int(said['fonts'].text.split()[0]) > 10
        assert said['Chinese fonts'].level == 'note'
        assert 'fonts-noto-cjk' in said['Chinese fonts'].command


class TestTogether:

    def test_workarounds_tell_why(self) -> None:
        done = compat.install()
        assert list(done) == list(compat.WORKAROUNDS)
        said = {name: together.told_workaround(name, work, done[name])
                for name, work in compat.WORKAROUNDS.items()}
        for name, finding in said.items():
            state = 'active (' if done[name] else 'not needed ('
            assert finding.text.startswith(state), name
        if done['mmcv_ext']:
            assert said['mmcv_ext'].text.endswith(': mmcv-lite has no '
                                                  'operators')
        if done['numpy_names']:
            assert 'sctypes' in said['numpy_names'].text

    def test_recognizers_need_no_operators(self) -> None:
        folder = Path(mmocr.__file__).parent / 'models'
        users = {path.parts[len(folder.parts)]
                 for path in folder.rglob('*.py')
                 if 'mmcv.ops' in path.read_text(encoding='utf-8')}
        assert users == {'textdet'}
        assert 'no recognizer needs them' in together.operators().text

    def test_all_is_well(self) -> None:
        for check in (together.components, together.arrays,
                      together.checkpoints):
            assert check().level == 'ok', check().text

    def test_torch_without_numpy(self,
                                 monkeypatch: pytest.MonkeyPatch) -> None:
        """torch built for NumPy 1 beside NumPy 2 imports, and then fails."""

        def refuse(array: Any) -> None:
            raise RuntimeError('Numpy is not available')

        monkeypatch.setattr(torch, 'from_numpy', refuse)
        finding = together.arrays()
        assert finding.level == 'wrong'
        assert finding.command.endswith("install 'numpy<2'")

    def test_component_that_is_not_registered(
            self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(together.COMPONENTS, 'MODELS', ('NoSuch', ))
        assert together.components().text == 'missing: MODELS.NoSuch'
