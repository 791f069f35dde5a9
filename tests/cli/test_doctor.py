"""`lmim doctor`, also where lmim, or what it needs, cannot be imported."""
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch

from lmim.cli import doctor
from lmim.cli.doctor import Finding
from tests.documents import REPO
from tests.fresh_python import PACKAGE, fake_package

#: Makes some libraries impossible to import. The real ones stay installed.
BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {gone!r}:
            {action}
sys.meta_path.insert(0, Block())
"""
MISSING = ("raise ModuleNotFoundError(f'No module named {name!r}', "
           "name=name)")


def by_name(findings: Any) -> Dict[str, Finding]:
    return {each.name: each for each in findings}


def blocked(folder: Path, *gone: str, action: str = MISSING) -> str:
    """A PYTHONPATH with which the libraries cannot be imported."""
    (folder / 'sitecustomize.py').write_text(
        BLOCK.format(gone=list(gone), action=action))
    return os.pathsep.join([str(folder), str(PACKAGE)])


def run(path: str, folder: Path, *args: str) -> Any:
    env = {**os.environ, 'PYTHONPATH': path}
    env.pop(doctor.DATA_ROOT, None)
    return subprocess.run([sys.executable, *args], cwd=folder, env=env,
                          capture_output=True, text=True)


def test_all_is_well(tmp_path: Path) -> None:
    """A stack that works: the text says so."""
    done = run('', tmp_path, str(REPO / 'tools/doctor.py'), '--data-root', '.')
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == '0 wrong. Nothing keeps lmim from working here.'
    found = dict(re.findall('^  ok +(.+?)  +(.+)', done.stdout, re.M))
    assert {'python', 'torch', 'lmim', 'cpu float32', 'cpu bfloat16',
            'work dir', 'work-around mmcv_ext'} <= set(found)
    assert found['data root'] == str(tmp_path)
    # What training chooses, and why.
    assert re.fullmatch(
        r'(fp32|bf16) \(matrix product on cpu: fp32 [\d,]+, bf16 [\d,]+ '
        r'GFLOP/s\)', found['--precision auto'])
    assert found['deformable convolution'].startswith('cpu: plain torch')
    assert os.listdir(tmp_path) == []


def test_nothing_is_there(tmp_path: Path) -> None:
    path = blocked(tmp_path, 'torch', 'numpy', 'mmocr', 'mmcv', 'rich',
                   'lmdb')
    done = run(path, tmp_path, doctor.__file__, '--json')
    assert done.returncode == 1, done.stderr
    result = json.loads(done.stdout)
    assert result['ok'] is False
    wrong = {each['name']: each for each in result['findings']
             if each['level'] == 'wrong'}
    # torch needs numpy, and its own failure says the same.
    for name in ('numpy', 'torch', 'rich', 'lmdb', 'mmcv'):
        assert '-m pip install' in wrong[name]['fix'], name
    assert all(each['fix'] for each in wrong.values())
    names = {each['name'] for each in result['findings']}
    assert {'python', 'data root', 'work dir', 'all'} <= names


def test_import_lmim_names_the_doctor(tmp_path: Path) -> None:
    done = run(blocked(tmp_path, 'torch'), tmp_path, '-c', 'import lmim')
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-2:]
    assert last[0].endswith("No module named 'torch'")
    assert last[1].startswith(f'`python {doctor.__file__}` finds what')


def test_fixes_are_repeated_at_the_end() -> None:
    text = doctor.report([
        Finding('imports', 'a', 'wrong', 'broken', 'fix a'),
        Finding('imports', 'b', 'note', 'so so', 'fix b'),
        Finding('data', 'c', 'wrong', 'broken', 'fix a')])
    assert text.endswith('2 wrong. Fix it with:\n  fix a')
    assert text.count('fix a') == 3 and text.count('fix b') == 1


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> Any:
    def wrong(path: str, **kwargs: Any) -> List[Finding]:
        monkeypatch.setenv('PYTHONPATH', path)
        return [each for each in doctor.run_child(**kwargs)
                if each.level == 'wrong']

    return wrong


def test_mmcv_is_too_new(wrong: Any, tmp_path: Path) -> None:
    """mmdet's refusal is reported once, not for all that need it."""
    fake_package(tmp_path, mmcv__ops='')
    (tmp_path / 'mmcv' / '__init__.py').write_text(
        '__version__ = "2.2.0"')
    found = by_name(wrong(str(tmp_path)))
    assert 'the versions exclude one another' in found['mmdet'].text
    assert 'MMCV==2.2.0' in found['mmdet'].text
    assert 'pip install' in found['mmdet'].fix
    assert "'mmcv-lite>=2.0.0,<2.1.0'" in found['mmdet'].fix
    assert 'mmocr' not in found


@pytest.mark.skipif(os.name == 'nt', reason='Windows has no signals')
def test_crash(wrong: Any, tmp_path: Path) -> None:
    """torch for another CPU ends the process that imports it, not us."""
    finding, = wrong(blocked(
        tmp_path, 'torch', action='import os; os.kill(os.getpid(), 4)'))
    assert finding.name == 'torch'
    assert finding.text.startswith('the process that tried it ended with '
                                   'SIGILL')
    assert finding.fix.endswith('-c "import torch"')


def test_endless(wrong: Any, tmp_path: Path) -> None:
    finding, = wrong(blocked(tmp_path, 'numpy',
                             action='import time; time.sleep(60)'),
                     time_limit=0.5)
    assert finding.text.endswith('did not end in 0.5 s')


@pytest.mark.parametrize('name, error, meaning, fix', [
    ('cv2', ImportError('libGL.so.1: cannot open shared object file'),
     'libraries of a desktop', 'install opencv-python-headless'),
    ('pycocotools', ValueError('numpy.dtype size changed, may indicate'),
     'NumPy 1', "install 'numpy<2'"),
    ('mmdet', AssertionError('MMCV==2.2.0 is used but incompatible'),
     'exclude one another', "install 'mmcv-lite>=2.0.0,<2.1.0'"),
    ('mmocr', AssertionError('MMDet 3.3.0 is incompatible'),
     'exclude one another', "install 'mmdet>=3.0.0,<3.2.0'"),
    ('mmengine', ModuleNotFoundError("No module named 'pkg_resources'",
                                     name='pkg_resources'),
     'pkg_resources', "install 'setuptools<81'"),
    ('mmcv', ModuleNotFoundError('nothing', name='no_such_library'),
     'no_such_library is not installed', 'install no_such_library'),
    ('numpy', ModuleNotFoundError('nothing', name='numpy.core'),
     'numpy is not whole', f'numpy=={doctor.installed()["numpy"]}'),
    ('torchvision', RuntimeError('operator torchvision::nms'),
     'another torch', 'torchvision'),
    ('PIL', RuntimeError('odd'), 'RuntimeError: odd',
     f'pillow=={doctor.installed()["pillow"]}'),
])
def test_errors(name: str, error: Exception, meaning: str,
                fix: str) -> None:
    text, command = doctor.describe(name, error)
    assert meaning in text
    assert command.endswith(fix)


GOOD = {'torch': '2.13.0+cpu', 'torchvision': '0.28.0', 'mmengine': '0.10.7',
        'mmcv-lite': '2.0.1', 'mmdet': '3.1.0', 'mmocr': '1.0.1',
        'mmpretrain': '1.2.0', 'numpy': '1.26.4',
        'opencv-python': '4.11.0.86', 'setuptools': '80.9.0'}
LITE = "'mmcv-lite>=2.0.0,<2.1.0'"
BOTH = ('4.11.0.86 and {} (opencv-python-headless) are one package: the one '
        'installed last has the files')
NEW_CV = ('python -m pip uninstall -y opencv-python opencv-python-headless && '
          "python -m pip install 'opencv-python>=4.2.0.32,!=4.5.5.*'")


@pytest.mark.parametrize('gone, there, finding', [
    ('', '', ('torch', 'ok', '2.13.0+cpu', '')),
    ('', 'mmengine==0.9.1', (
        'mmengine', 'wrong',
        '0.9.1, but lmim needs mmengine>=0.10.0,<1.0.0',
        "python -m pip install 'mmengine>=0.10.0,<1.0.0'")),
    ('', 'mmcv-lite==2.2.0', (
        'mmcv-lite', 'wrong',
        '2.2.0, but lmim needs mmcv-lite>=2.0.0,<2.1.0',
        f'python -m pip uninstall -y mmcv-lite && python -m pip install {LITE}'
    )),
    ('mmcv-lite', '', ('mmcv-lite', 'wrong', 'not installed',
                       f'python -m pip install {LITE}')),
    # The full one is enough.
    ('mmcv-lite', 'mmcv==2.0.0', ('mmcv-lite', 'ok', '2.0.0 (mmcv)', '')),
    ('', 'opencv-python-headless==4.11.0.86', (
        'opencv-python', 'note', BOTH.format('4.11.0.86'), NEW_CV)),
    ('', 'opencv-python-headless==4.12.0.88', (
        'opencv-python', 'wrong', BOTH.format('4.12.0.88'), NEW_CV)),
])
def test_versions(monkeypatch: pytest.MonkeyPatch, gone: str, there: str,
                  finding: tuple) -> None:
    monkeypatch.setattr(doctor, 'PYTHON', 'python')
    versions = {name: version for name, version in GOOD.items()
                if name != gone}
    if there:
        versions.update([there.split('==')])
    found = by_name(doctor.check_versions(versions))
    assert found[finding[0]] == ('versions', *finding)
    assert [name for name, each in found.items()
            if name in GOOD and each.level != 'ok'] == (
                [finding[0]] if finding[1] != 'ok' else [])


def test_commands_without_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, 'which', lambda name: name)
    monkeypatch.setattr(doctor.importlib.util, 'find_spec', lambda name: None)
    assert doctor.install('mmcv-lite', ['mmcv']) == (
        f'uv pip uninstall --python {sys.executable} mmcv && uv pip '
        f'install --python {sys.executable} {LITE}')


@pytest.mark.parametrize('version, level', [
    ((3, 8), 'wrong'), ((3, 9), 'ok'), ((3, 12), 'ok'), ((3, 13), 'note')])
def test_python(monkeypatch: pytest.MonkeyPatch, version: tuple,
                level: str) -> None:
    monkeypatch.setattr(doctor.sys, 'version_info', (*version, 0))
    assert by_name(doctor.check_machine())['python'].level == level


@pytest.mark.skipif(not os.path.isdir('/dev/shm'), reason='of Linux')
def test_shared_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    for needed, level in (0, 'ok'), (1e9, 'wrong'):
        monkeypatch.setattr(doctor, 'SHARED', needed)
        shared = by_name(doctor.check_machine())['shared memory']
        assert shared.level == level and '--shm-size=8g' in shared.text
        assert shared.fix == 'sudo mount -o remount,size=8g /dev/shm'


def test_gpu_that_torch_does_not_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    built = doctor.unused_gpu(None)
    assert built.level == 'wrong' and 'without CUDA' in built.text
    assert built.fix.endswith('--force-reinstall torch torchvision')
    driver = doctor.unused_gpu('12.6')
    assert driver.level == 'wrong' and 'driver is older' in driver.text
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')
    hidden = doctor.unused_gpu('12.6')
    assert (hidden.level, hidden.fix) == ('note', 'unset CUDA_VISIBLE_DEVICES')


@pytest.mark.parametrize('precision, least, most', [
    ('float32', 1e-8, 1e-5), ('bfloat16', 5e-4, 1e-2)])
def test_products(precision: str, least: float, most: float) -> None:
    """Errors are those of the precision: it was really computed in it."""
    found = doctor.check_product(torch, 'cpu', precision)
    assert found.level == 'ok'
    assert least < float(found.text.split()[-1]) < most


@pytest.mark.parametrize('device, precision, limit, level, text', [
    ('cpu', 'float32', 1e-9, 'wrong', 'rounding gives at most 1e-09'),
    ('cpu', 'float32', float('nan'), 'wrong', 'rounding gives'),
    ('meta:no', 'float32', 1., 'wrong', 'not available: '),
    ('meta:no', 'bfloat16', 1., 'note', 'not available: ')])
def test_wrong_products(monkeypatch: pytest.MonkeyPatch, device: str,
                        precision: str, limit: float, level: str,
                        text: str) -> None:
    monkeypatch.setitem(doctor.LIMITS, precision, limit)
    found = doctor.check_product(torch, device, precision)
    assert found.level == level and text in found.text
    assert found.fix.endswith(f'torch=={torch.__version__.split("+")[0]}')


def test_torch_without_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch built for NumPy 1 beside NumPy 2 imports, and then fails."""

    def refuse(array: Any) -> None:
        raise RuntimeError('Numpy is not available')

    monkeypatch.setattr(torch, 'from_numpy', refuse)
    first = next(doctor.check_devices(whole=False))
    assert first.level == 'wrong'
    assert first.fix.endswith("install 'numpy<2'")


def test_data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def root(given: Any = None) -> Finding:
        return by_name(doctor.check_folders(given, 'x'))['data root']

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(doctor.DATA_ROOT, raising=False)
    # A newcomer has none, and has done nothing wrong.
    assert root().level == 'note'
    assert root().fix.endswith('-m lmim data render data/rendered')
    there = tmp_path / 'my data'
    monkeypatch.setenv(doctor.DATA_ROOT, str(there))
    assert (root().level, root().fix) == ('wrong', f"mkdir -p '{there}'")
    assert root('other').fix == f'mkdir -p {tmp_path / "other"}'
    there.mkdir()
    assert root().level == 'ok'
    (tmp_path / 'file').touch()
    assert root('file').level == 'wrong'
    assert 'is not a folder' in root('file').text


def test_work_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def place(path: str = 'a/b') -> Finding:
        return by_name(doctor.check_folders(None, path))['work dir']

    monkeypatch.chdir(tmp_path)
    assert place().level == 'ok'
    assert os.listdir(tmp_path) == []  # nothing is left behind
    Path('a').touch()
    assert place().level == 'wrong'
    assert place().fix == f'mv {tmp_path}/a {tmp_path}/a.old'
    monkeypatch.setattr(doctor, 'ROOM', 1e9)
    assert (place('b').level, place('b').fix[:5]) == ('note', 'df -h')

    def refused(**kwargs: Any) -> None:
        raise PermissionError(13, 'Permission denied')

    monkeypatch.setattr(tempfile, 'TemporaryFile', refused)
    assert place('b').level == 'wrong'
    assert 'Permission denied' in place('b').text
    assert place('b').fix == f'chmod -R u+w {tmp_path}'
