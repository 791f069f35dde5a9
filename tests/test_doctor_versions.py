"""Versions that exclude one another, and what mends them."""
import sys
from typing import Dict, List

import pytest

from lmim.doctor import requirements, shell, versions
from lmim.doctor.errors import describe
from lmim.doctor.finding import Finding, wrong
from lmim.doctor.requirements import Need, parse

#: What requirements.txt says, and what the libraries say of each other.
NEEDS = [
    *parse(['torch>=1.13', 'torchvision>=0.14', 'mmengine>=0.10.0,<1.0.0',
            '# a remark', 'mmcv-lite>=2.0.0,<2.1.0  # why', 'numpy>=1.21',
            'opencv-python>=4.2.0.32,!=4.5.5.*', 'setuptools<81'], 'lmim'),
    *parse(['mmcv<2.2.0,>=2.0.0rc4; extra == "mim"', 'numpy',
            'opencv-python', 'pyclipper',
            'boto3; extra == "all"'], 'mmocr 1.0.1', ['mim']),
    *parse(['torch==2.1.0'], 'torchvision 0.16.0'),
]
GOOD = {'torch': '2.1.0+cpu', 'torchvision': '0.16.0', 'mmengine': '0.10.7',
        'mmcv-lite': '2.0.1', 'numpy': '1.26.4', 'mmocr': '1.0.1',
        'opencv-python': '4.11.0.86', 'setuptools': '80.9.0',
        'pyclipper': '1.3.0'}


def found(needs: List[Need] = NEEDS, without: str = '',
          **others: str) -> Dict[str, Finding]:
    """What is said of the good versions with some changes, by name."""
    there = {**GOOD, **{name.replace('_', '-'): version
                        for name, version in others.items()}}
    there.pop(without, None)
    return {each.name: each for each in
            [*versions.check_ranges(there, needs, lambda module: False),
             *versions.check_clashes(there)]}


@pytest.fixture(autouse=True)
def short_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands do not hang on where the tests run."""
    monkeypatch.setattr(shell, 'python', lambda: 'python')


def test_versions_that_fit() -> None:
    said = found()
    assert {each.level for each in said.values()} == {'ok'}
    assert said['torch'].text == '2.1.0+cpu'
    assert said['mmcv-lite'].text == 'mmcv-lite 2.0.1'
    assert 'pyclipper' not in said and 'boto3' not in said


@pytest.mark.parametrize('name, version, asks, command', [
    ('mmengine', '0.9.1', 'lmim asks for mmengine>=0.10.0,<1.0.0',
     "python -m pip install 'mmengine>=0.10.0,<1.0.0'"),
    ('setuptools', '82.0.0', 'lmim asks for setuptools<81',
     "python -m pip install 'setuptools<81'"),
    ('opencv-python', '4.5.5.62',
     'lmim asks for opencv-python>=4.2.0.32,!=4.5.5.*',
     "python -m pip install 'opencv-python>=4.2.0.32,!=4.5.5.*'"),
    ('mmcv-lite', '2.2.0', 'lmim asks for mmcv-lite>=2.0.0,<2.1.0',
     'python -m pip uninstall -y mmcv-lite && '
     "python -m pip install 'mmcv-lite>=2.0.0,<2.1.0'"),
    ('torch', '2.4.1', 'torchvision 0.16.0 asks for torch==2.1.0',
     'python -m pip install --upgrade torch==2.4.1 torchvision'),
])
def test_wrong_version(name: str, version: str, asks: str,
                       command: str) -> None:
    finding = found(**{name.replace('-', '_'): version})[name]
    assert finding.level == 'wrong'
    assert version in finding.text and asks in finding.text
    assert finding.command == command


def test_numpy_too_new_for_mmocr() -> None:
    """All who ask have a say in what is installed instead."""
    finding = found([*NEEDS, *parse(['numpy<2'], 'mmocr 1.0.1')],
                    numpy='2.4.6')['numpy']
    assert finding.level == 'wrong'
    assert finding.text == '2.4.6, but mmocr 1.0.1 asks for numpy<2'
    assert finding.command == "python -m pip install 'numpy>=1.21,<2'"


def test_ranges_of_others_are_remarks() -> None:
    """What is declared by a library that lmim only passes by may be tight."""
    finding = found([*NEEDS, *parse(['numpy<2'], 'imgaug 0.4.0')],
                    numpy='2.4.6')['numpy']
    assert finding.level == 'note' and finding.command


def test_missing_library() -> None:
    finding = found(without='pyclipper')['pyclipper']
    assert (finding.level, finding.text) == (
        'wrong', 'not installed; mmocr 1.0.1 needs it')
    assert finding.command == 'python -m pip install pyclipper'


def test_missing_mmcv() -> None:
    finding = found(without='mmcv-lite')['mmcv-lite']
    assert finding.level == 'wrong'
    assert finding.command == (
        "python -m pip install 'mmcv-lite>=2.0.0,<2.1.0'")


def test_full_mmcv_and_headless_opencv_serve() -> None:
    there = dict(GOOD, mmcv='2.0.0')
    there['opencv-python-headless'] = there.pop('opencv-python')
    del there['mmcv-lite']
    said = {each.name: each for each in versions.check_ranges(there, NEEDS)}
    assert said['mmcv'].text == 'mmcv 2.0.0'
    assert said['opencv-python-headless'].level == 'ok'


def test_installed_in_another_way() -> None:
    there = {name: version for name, version in GOOD.items()
             if name != 'opencv-python'}
    said = {each.name: each for each in versions.check_ranges(
        there, NEEDS, lambda module: module == 'cv2')}
    assert said['opencv-python'].level == 'note'


@pytest.mark.parametrize('version, level',
                         [('4.11.0.86', 'note'), ('4.12.0.88', 'wrong')])
def test_two_opencvs(version: str, level: str) -> None:
    finding = found(opencv_python_headless=version)['opencv, twice']
    assert finding.level == level
    assert finding.command == (
        'python -m pip uninstall -y opencv-python opencv-python-headless && '
        'python -m pip install opencv-python')


def test_both_mmcvs() -> None:
    finding = found(mmcv='2.1.0')['mmcv, twice']
    assert finding.level == 'wrong'
    assert finding.command == (
        'python -m pip uninstall -y mmcv mmcv-lite && '
        "python -m pip install 'mmcv-lite>=2.0.0,<2.1.0'")


def test_optional_libraries() -> None:
    said = {each.name: each for each in versions.check_versions(
        dict(GOOD, safetensors='0.8.0'), NEEDS)}
    assert said['safetensors'].level == 'ok'
    assert said['gradio'].level == 'note'
    assert said['gradio'].command == 'python -m pip install gradio'


def test_this_environment() -> None:
    """The tests run, so nothing can be wrong with it."""
    said = list(versions.check_versions())
    assert [each for each in said if each.level == 'wrong'] == []
    assert {'torch', 'mmocr', 'numpy', 'lmdb'} <= {each.name for each in said}


def test_ranges_of_the_package(repo_metadata: List[str]) -> None:
    """An installed lmim tells its ranges, one of its two mmcvs included."""
    needs = requirements.needs_of_lmim()
    assert needs is not None
    assert [need.text for need in needs] == [
        'torch>=1.13', 'mmcv-lite>=2.0.0,<2.1.0', 'mmcv>=2.0.0,<2.1.0']


@pytest.fixture
def repo_metadata(monkeypatch: pytest.MonkeyPatch) -> List[str]:
    lines = ['torch>=1.13', 'mmcv-lite<2.1.0,>=2.0.0; extra == "lite"',
             'mmcv<2.1.0,>=2.0.0; extra == "full"',
             'pytest; extra == "tests"']
    monkeypatch.setattr(requirements.metadata, 'requires',
                        lambda name: lines)
    return lines


@pytest.mark.parametrize('name, error, meaning, command', [
    ('cv2', ImportError('libGL.so.1: cannot open shared object file'),
     'libraries of a desktop',
     'sudo apt-get install -y libgl1 libglib2.0-0'),
    ('pycocotools', ValueError('numpy.dtype size changed, may indicate'),
     'NumPy 1', "python -m pip install 'numpy<2'"),
    ('mmdet', AssertionError('MMCV==2.2.0 is used but incompatible'),
     'exclude one another', 'python -m pip install mmcv-lite==2.0.1'),
    ('mmocr', AssertionError('MMDetection 3.3.0 is incompatible'),
     'exclude one another', "python -m pip install 'mmdet>=3.0.0,<3.2.0'"),
    ('mmengine', ModuleNotFoundError("No module named 'pkg_resources'",
                                     name='pkg_resources'),
     'pkg_resources', "python -m pip install 'setuptools<81'"),
])
def test_errors_at_import(name: str, error: Exception, meaning: str,
                          command: str) -> None:
    text, mend = describe(name, error)
    assert meaning in text
    assert mend.endswith(command)


def test_nothing_is_wrong_without_a_mend() -> None:
    with pytest.raises(ValueError, match='versions, torch'):
        wrong('versions', 'torch', 'broken', '')


def test_commands_name_this_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(shell.shutil, 'which', lambda name: None)
    assert shell.install('numpy<2') == (
        f"{sys.executable} -m pip install 'numpy<2'")
    monkeypatch.setattr(shell.shutil, 'which', lambda name: '/usr/bin/uv')
    monkeypatch.setattr(shell.importlib.util, 'find_spec', lambda name: None)
    assert shell.replace(['mmcv'], 'mmcv-lite') == (
        f'uv pip uninstall --python {sys.executable} mmcv && '
        f'uv pip install --python {sys.executable} mmcv-lite')
