"""Habits of the repository as a whole."""
import ast
import re
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
import yaml
from mmengine.config import Config
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lmim.apis.loading import reader_path
from lmim.version import __version__
from tests.documents import CONFIGS, REPO

#: Lines that a Python file may have.
LIMIT = 500
#: Folders of one machine, and hosts of package indexes. Split, so that this
#: file is not among its own findings.
FOREIGN = re.compile('|'.join([
    r'(?<![\w.}])/(home|ro' r'ot|Users|work|opt)/\w',
    r'(?<![\w.}])/t' r'mp/\w',
    r'\bpypi\.' r'(org|python)', r'python' r'hosted\.org',
    r'index-' r'url', r'extra-index-' r'url', r'/sim' r'ple\b',
    r'\b(localhost|127\.0\.0\.1):\d+',
]))


@pytest.fixture(scope='module')
def tracked() -> List[Path]:
    """The files that git keeps."""
    done = subprocess.run(['git', 'ls-files', '-z'], cwd=REPO,
                          capture_output=True, text=True)
    if done.returncode:
        pytest.skip('not a checkout of git')
    paths = [REPO / name for name in done.stdout.split('\0') if name]
    return [path for path in paths if path.is_file()]


def test_nothing_depends_on_one_machine(tracked: List[Path]) -> None:
    found = []
    for path in tracked:
        if path.suffix in ('.npz', '.png', '.safetensors'):
            continue
        for number, line in enumerate(
                path.read_text(encoding='utf-8').splitlines(), 1):
            if FOREIGN.search(line):
                found.append(f'{path.relative_to(REPO)}:{number}: {line}')
    assert not found, '\n'.join(found)


def test_foreign_names_are_recognised() -> None:
    for text in ('see /ho' 'me/me/data', '"/t' 'mp/x.pth"',
                 'pip -i https://py' 'pi.org/sim' 'ple'):
        assert FOREIGN.search(text), text
    for text in ('tools/setup_env.sh', '/data/', 'work_dirs/mae/epoch_4.pth',
                 '${TMPDIR}/x', 'https://arxiv.org/abs/2503.18746'):
        assert not FOREIGN.search(text), text


def test_only_small_files_of_our_own(tracked: List[Path]) -> None:
    """No pictures, weights or data of others; references are numbers."""
    for path in tracked:
        name = str(path.relative_to(REPO))
        # The one recognizer that we ship, and its language; what they hold
        # is looked at in test_shipped_reader.py.
        if name in ('projects/lmim/lmim/weights/reader.safetensors',
                    'projects/lmim/lmim/weights/english.npz'):
            continue
        assert path.stat().st_size < 400_000, name
        assert path.suffix in {'.py', '.md', '.sh', '.txt', '.toml', '.yaml',
                               '.yml', '.cff', '.typed', '.npz', '.png',
                               '.json', ''}, name
        if path.suffix == '.json':  # figures of comparisons
            assert name.startswith('docs/results/'), name
        if path.suffix == '.npz':
            assert name.startswith('tests/data/reference_'), name
        if path.suffix == '.png':  # drawn by ourselves, for the documents
            assert name.startswith('docs/images/'), name


def test_files_are_short(tracked: List[Path]) -> None:
    for path in tracked:
        if path.suffix == '.py':
            lines = len(path.read_text(encoding='utf-8').splitlines())
            assert lines <= LIMIT, f'{path}: {lines} lines'


def test_the_set_up_brings_all_requirements() -> None:
    """By its pins, or by what these require in turn."""
    pins = re.findall(r'^_lmim_(?:torch|pins)=\(([^)]*)\)',
                      (REPO / 'tools/setup_env.sh').read_text(), re.M)
    waiting = [Requirement(pin) for part in pins
               for pin in re.findall("'(.+?)'", part)]
    brought: Dict[str, None] = {}
    while waiting:
        name = canonicalize_name(waiting.pop().name)
        if name not in brought:
            brought[name] = None
            needs = map(Requirement, metadata.requires(name) or [])
            waiting += [need for need in needs if need.marker is None
                        or need.marker.evaluate({'extra': ''})]
    listed = re.search(r'^INSTALL_REQUIRES = (\[.*?\n\])',
                       (REPO / 'setup.py').read_text(), re.M | re.S)
    assert listed is not None
    wanted = {canonicalize_name(Requirement(line).name)
              for line in ast.literal_eval(listed[1])}
    assert 'safetensors' in wanted and wanted <= set(brought)


def test_versions_agree() -> None:
    citation = yaml.safe_load((REPO / 'CITATION.cff').read_text())
    assert citation['version'] == __version__
    newest = re.search(r'^## \[(.+?)\] - (.+)$',
                       (REPO / 'CHANGELOG.md').read_text(), re.M)
    assert newest and newest.group(1) == __version__
    assert re.fullmatch(r'unreleased|\d{4}-\d\d-\d\d', newest.group(2))


def test_citation_names_the_paper() -> None:
    citation = yaml.safe_load((REPO / 'CITATION.cff').read_text())
    paper = citation['preferred-citation']
    for page in ('README.md', 'projects/lmim/README.md'):
        text = (REPO / page).read_text(encoding='utf-8')
        entry = text[text.index('@inproceedings'):]
        assert paper['title'] in entry and str(paper['year']) in entry
        authors = ' and '.join(
            f'{author["family-names"]}, {author["given-names"]}'
            for author in paper['authors'])
        assert f'{{{authors}}}' in entry


def test_runs_follow_one_another() -> None:
    """Each has a work dir of its own, named after its config, and starts from
    the last checkpoint that another leaves."""
    configs = {path: Config.fromfile(path) for path in CONFIGS}
    names = [cfg.get('work_dir') or path.stem for path, cfg in configs.items()]
    twice = sorted({name for name in names if names.count(name) > 1})
    assert not twice, (
        f'several configs are called {twice}: their runs would write over '
        "each other's checkpoints in work_dirs/")
    left = {f'work_dirs/{path.stem}/epoch_{cfg.train_cfg.max_epochs}.pth'
            for path, cfg in configs.items() if path.parts[-3] == 'pretrain'}
    taken = {name: path for path, cfg in configs.items()
             for name in checkpoints(cfg.to_dict())}
    assert len(taken) >= 4
    for name, path in taken.items():
        assert name in left or name == str(reader_path()), f'{path}: {name}'


def checkpoints(cfg: Any) -> Iterator[str]:
    """All paths of checkpoints in a config's model."""
    items: Dict[Any, Any] = cfg if isinstance(cfg, dict) else {}
    for key, value in items.items():
        if key == 'checkpoint' and isinstance(value, str):
            yield value
        yield from checkpoints(value)
