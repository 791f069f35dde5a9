"""Install the package ``lmim`` from ``projects/lmim``."""
from pathlib import Path
from typing import Dict

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent
PROJECT = 'projects/lmim'


def version() -> str:
    """The version, read without importing the package."""
    scope: Dict[str, str] = {}
    source = ROOT / PROJECT / 'lmim' / 'version.py'
    exec(compile(source.read_text(encoding='utf-8'), str(source), 'exec'),
         scope)
    return scope['__version__']


def readme() -> str:
    """The project's page, where it is at hand."""
    page = ROOT / 'README.md'
    return page.read_text(encoding='utf-8') if page.is_file() else ''


# Ranges, not pins: what is installed already is kept, torch above all. The
# upper limits are those that the OpenMMLab libraries check at import. The
# measured stack is pinned in tools/setup_env.sh.
INSTALL_REQUIRES = [
    'torch>=1.13',
    'torchvision>=0.14',
    'mmengine>=0.10.0,<1.0.0',
    'mmdet>=3.0.0,<3.2.0',
    'mmocr>=1.0.1,<1.1.0',
    'mmpretrain>=1.2.0,<1.3.0',
    'fonttools',
    'lmdb',
    'matplotlib',
    'numpy>=1.21',
    'opencv-python>=4.2.0.32,!=4.5.5.*',
    'pillow',
    'rapidfuzz',
    'rich',
    # The reader that comes with lmim is a file of that kind.
    'safetensors',
    # mmengine and mmcv import pkg_resources, which setuptools 81 dropped.
    'setuptools<81',
]

# mmcv is not among the requirements: `mmcv` and `mmcv-lite` are two
# distributions of one package, pip knows nothing of that, and requiring
# either would overwrite the other where a user has it. Choose one; importing
# lmim without any says so. mmdet 3.1 limits both to below 2.1.
EXTRAS_REQUIRE = {
    'lite': ['mmcv-lite>=2.0.0,<2.1.0'],
    'full': ['mmcv>=2.0.0,<2.1.0'],
    # Traditional to simplified, in the protocol of the Chinese benchmark.
    'chinese': ['opencc>=1.1'],
    # lmim export; what it writes needs onnxruntime alone.
    'export': ['onnx', 'onnxruntime', 'onnxscript'],
    # lmim demo, a page in the browser.
    'demo': ['gradio>=6,<7; python_version >= "3.10"'],
    # tools/train.py --tensorboard
    'tensorboard': ['tensorboard'],
    # The site of docs/: mkdocs build --strict
    'docs': ['mkdocs>=1.6,<2', 'mkdocs-material>=9.5'],
    # For the tests; the versions in use are pinned in tools/run_tests.sh.
    'tests': [
        'pytest', 'ruff', 'mypy', 'opencc>=1.1', 'onnx',
        'onnxruntime', 'onnxscript', 'tensorboard', 'mkdocs>=1.6,<2',
        'mkdocs-material>=9.5', 'gradio>=6,<7; python_version >= "3.10"',
        'selenium; python_version >= "3.10"'
    ],
}

setup(
    name='lmim',
    version=version(),
    description='Linguistics-aware masked image modeling for scene text '
    'recognition, as a plugin of MMOCR',
    long_description=readme(),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    package_dir={'': PROJECT},
    packages=find_packages(PROJECT, include=['lmim', 'lmim.*']),
    package_data={'lmim': ['py.typed', '**/*.txt', '**/*.json',
                           'weights/*.npz',
                           'weights/*.safetensors']},
    python_requires='>=3.9',
    install_requires=INSTALL_REQUIRES,
    extras_require=EXTRAS_REQUIRE,
    entry_points={'console_scripts': ['lmim = lmim.cli.main:main']},
    zip_safe=False,
    classifiers=[
        'Development Status :: 4 - Beta',
        'License :: OSI Approved :: Apache Software License',
        'Programming Language :: Python :: 3',
        'Programming Language :: Python :: 3.9',
        'Programming Language :: Python :: 3.10',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Topic :: Scientific/Engineering :: Image Recognition',
    ],
)
