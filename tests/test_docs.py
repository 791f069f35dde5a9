"""What the documents say is so: each command, snippet, path and option."""
import ast
import os
import re
import shutil
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Callable, Dict, FrozenSet, List, NamedTuple, Tuple

import pytest

from tests.documents import (
    CONFIGS,
    DOCUMENTS,
    REPO,
    anchors,
    blocks,
    commands,
    english,
    links,
    page_before,
    paths,
    table_rows,
    typed,
)
from tests.reader import Reader

README = REPO / 'README.md'
NAMES = [str(path.relative_to(REPO)) for path in DOCUMENTS]

Exercise = Callable[[Reader, str], Any]


def by(*tests: str) -> Exercise:
    """It is run elsewhere: by these tests, ``FILE::NAME``."""

    def exercise(reader: Reader, command: str) -> None:
        for test in tests:
            path, name = test.split('::')
            assert (REPO / path).is_file() and re.search(
                rf'^ *def {name}\(', (REPO / path).read_text(), re.M), (
                    f'{test} is to run `{command}`, and does not exist')

    return exercise


def quick_start(reader: Reader, command: str) -> None:
    """It is run whole elsewhere; here its options are looked up."""
    tests = 'tests/tools/test_quickstart.py::test_'
    by(f'{tests}from_words_to_a_table_and_nothing_twice',
       f'{tests}own_labelled_pictures_are_split_and_trained_on')(
           reader, command)
    told = reader.run(Path('tools/quickstart'), '--help')
    for option in re.findall(r'--[\w-]+', command):
        assert option in told, f'tools/quickstart.sh has no {option}'
    if '--' not in command:
        reader.has_quick_start()


def made_by_set_up(reader: Reader, command: str) -> None:
    """Both scripts make ``.venv`` by this file."""
    assert '/.venv}' in (REPO / 'tools/setup_env.sh').read_text()


def installs(reader: Reader, command: str) -> None:
    """Its extras exist; the set-up runs the rest of it."""
    extras = re.findall(r"'\.\[(\w+)\]'", command)
    assert extras
    for extra in extras:
        assert f"'{extra}': [" in (REPO / 'setup.py').read_text()
    assert '-e "$_lmim_root"' in (REPO / 'tools/setup_env.sh').read_text()


def measures(reader: Reader, command: str) -> None:
    """It takes minutes: here its options are read, and tests run it small."""
    name, *options = command.split()[2:]
    sys.path.insert(0, str(REPO / 'tools'))
    try:
        import_module('benchmark').TOOL.parser().parse_args([name, *options])
    finally:
        sys.path.pop(0)
    test = (REPO / 'tests/tools/test_benchmark.py').read_text()
    assert re.search(rf"[\[(']{name}\b", test), f'no test runs {name}'


#: How each command of the documents is exercised; the first pattern counts.
TABLE: List[Tuple[str, Exercise]] = [
    (r'bash tools/quickstart\.sh( --\w.*)?', quick_start),
    # Whoever reads this has run it.
    (r'bash tools/run_tests\.sh', by('tests/test_docs.py::by')),
    (r'\. \.venv/bin/activate', made_by_set_up),
    (r'pip install -e .*', installs),
    (r'export PYTHONPATH=\$PWD/projects/lmim:\$PYTHONPATH',
     by('tests/test_import.py::test_mmocrs_own_train_script')),
    # In a clone of MMOCR.
    (r'python tools/(train|test)\.py projects/lmim/configs/.*|cd MMOCR|'
     r'lmim data render MMOCR/.*|cp -rL .*',
     by('tests/test_upstream.py::test_its_configs_train_in_a_stock_mmocr')),
    (r'mkdocs build --strict', by('tests/test_site.py::test_it_is_built')),
    (r'lmim pool .*|lmim infer .* --pool \S+',
     by('tests/cli/test_pool.py::test_a_pool_is_made_and_changed')),
    # Twenty thousand words are drawn.
    (r'python tools/train\.py configs/textrecog/in_context/\S+',
     by('tests/test_configs.py::test_config_runs')),
    (r'lmim data render .* --manner scene .*',
     by('tests/cli/data/test_render.py::test_words_as_on_signs')),
    (r'lmim data render .*', Reader.rendered_in_small),
    (r'lmim data verify', Reader.verified),
    # A page's own crops may be too hard for the reader.
    (r'lmim data label .*',
     by('tests/cli/data/test_label.py::test_what_is_read_surely_is_kept')),
    (r'lmim compare .*',
     by('tests/comparison/test_compare.py::test_ones_own_pictures_on_the_'
        'command_line',
        'tests/tools/test_quickstart.py::test_from_words_to_a_table_and_'
        'nothing_twice')),
    (r'lmim finetune .*',
     by('tests/test_finetuning.py::test_one_command_trains_and_measures')),
    (r'lmim data dedup data/Union14M-L/.*',
     by('tests/cli/data/test_dedup.py::test_the_clean_set_of_a_benchmark')),
    (r'lmim visualize groups .*',
     by('tests/visualization/test_tools.py::test_groups')),
    (r'lmim (checkpoint|data|infer|visualize) .*|'
     r'python tools/verify_reference\.py .*', Reader.as_it_is),
    (r'lmim doctor',
     by('tests/cli/test_doctor.py::test_all_is_well')),
    (r'lmim demo( --checkpoint \S+)?',
     by('tests/cli/test_demo_page.py::test_an_upload_is_read',
        'tests/test_shipped_reader.py::test_it_is_the_default')),
    (r'python tools/benchmark\.py .*', measures),
    (r'bash tools/gpu_report\.sh .*',
     by('tests/tools/test_gpu_report.py::test_a_report_of_one_part')),
    (r'bash tools/gpu_wheels\.sh .*',
     by('tests/tools/test_gpu_report.py::test_wheels_are_for_the_other_'
        'machine')),
    (r'python tools/gpu_report/chapter\.py .*',
     by('tests/tools/test_gpu_report.py::test_the_chapter_is_replaced_'
        'whole')),
    (r'python tools/campaign\.py .*',
     by('tests/tools/test_campaign.py::test_the_short_form')),
    (r'lmim export --output exported_reader',
     by('tests/test_shipped_reader.py::test_it_is_the_default')),
    (r'lmim export --output exported_wide --width auto',
     by('tests/export/test_export_widths.py::test_pictures_are_read_by_'
        'width')),
    (r'lmim export .* --output exported',
     by('tests/export/test_export.py::test_texts_and_scores_are_the_models')),
    (r'python (MMOCR/)?tools/(train|test)\.py .*', Reader.in_small),
    (r'(\w+=[\w.]+ )*bash tools/(dist|slurm)_(train|test)\.sh .*',
     Reader.through_launcher),
    (r'mim (train|test) mmocr .*', Reader.with_mim),
]


def exercise_of(text: str) -> Exercise:
    """How a command is exercised; an unknown one is a failure."""
    for pattern, exercise in TABLE:
        if re.fullmatch(pattern, text):
            return exercise
    return pytest.fail(
        f'no test runs `{text}`: add to TABLE in tests/test_docs.py how it is '
        'exercised, or leave it out of the document')


class Walk(NamedTuple):
    """What was typed to come to the end of a page, and what that left."""
    typed: FrozenSet[str]
    folder: Path


@pytest.fixture(scope='module')
def walks(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Walk]:
    """The pages that were walked through; the first is the empty folder."""
    return {'': Walk(frozenset(), tmp_path_factory.mktemp('reader'))}


@pytest.mark.parametrize('name', [
    name for name in NAMES if typed(REPO / name) and not english(REPO / name)])
def test_what_a_reader_types_works(name: str,
                                   walks: Dict[str, Walk]) -> None:
    """From top to bottom: later commands use what earlier ones made."""
    walk(REPO / name, walks)


def walk(document: Path, walks: Dict[str, Walk]) -> Walk:
    """Type what a page says, after what the one before it says."""
    name = str(document.relative_to(REPO))
    if name in walks:
        return walks[name]
    folder = walks[''].folder / re.sub(r'\W', '_', name)
    page = page_before(document)
    before = walk(page, walks) if page else walks['']
    if page:
        shutil.copytree(before.folder, folder, symlinks=True,
                        copy_function=_copy)
    seen = set(before.typed)
    with pytest.MonkeyPatch.context() as patch:
        reader = Reader(folder, patch)
        if not page:
            reader.gather_data()
        for block in typed(document):
            if block.language == 'python':
                reader.writes(block, name)
                continue
            for command in commands(document, block):
                if command.text not in seen:
                    try:
                        exercise_of(command.text)(reader, command.text)
                    except Exception as error:
                        raise AssertionError(f'{command}\n{error}') from error
                seen.add(command.text)
    walks[name] = Walk(frozenset(seen), folder)
    return walks[name]


def _copy(source: str, target: str) -> None:
    """Checkpoints are large, and never written in place; LMDBs of one inode
    cannot be open twice."""
    (os.link if source.endswith('.pth') else shutil.copy2)(source, target)


@pytest.mark.parametrize(
    'name', [name for name in NAMES if english(REPO / name)])
def test_a_chinese_page_has_the_commands_of_the_english(name: str) -> None:
    """They are run there. Each links to the other."""
    document = REPO / name
    other = english(document)
    assert other is not None
    assert [(block.language, block.text) for block in typed(document)] == [
        (block.language, block.text) for block in typed(other)]
    for page, target in ((document, other), (other, document)):
        assert os.path.relpath(target, page.parent) in links(page), page
    # A line's end becomes a blank, which Chinese text has not.
    text = re.sub(r'^```.*?^```$', '', document.read_text(encoding='utf-8'),
                  flags=re.M | re.S)
    assert not re.findall(r'.*[\u3001-\u9fff]\n *[\u3001-\u9fff].*', text)


def test_an_unknown_command_fails() -> None:
    with pytest.raises(pytest.fail.Exception, match='add to TABLE'):
        exercise_of('python tools/nothing.py')
    with pytest.raises(AssertionError, match='does not exist'):
        by('tests/test_docs.py::test_nothing')(None, 'x')  # type: ignore


@pytest.mark.parametrize('name', NAMES)
def test_paths_and_links_lead_somewhere(name: str) -> None:
    document = REPO / name
    for path in paths(document):
        # In a project page they count from the root as well.
        assert (REPO / path).exists(), f'{name} names {path}'
    for link in links(document):
        path, _, anchor = link.partition('#')
        target = document.parent / path if path else document
        assert target.exists(), f'{name} links to {link}'
        assert not anchor or anchor in anchors(target), f'{name}: {link}'


def test_the_tree_is_the_tree() -> None:
    tree = next(block.text for block in blocks(README)
                if block.language == 'text')
    folder = REPO
    for line in tree.splitlines():
        names = re.split(r'\s{2,}', line.strip())[0]
        if not line.startswith(' '):
            folder = REPO / names
        for path in names.split(', ') if line.startswith(' ') else ['']:
            assert (folder / path).exists(), line


@pytest.mark.parametrize('heading, least', [
    ('Installation and import', 3),
    ('At the start of a run', 8),
    ('While training', 3),
    ('Records: in validate and in training', 9),
    ('Labels: in check and dictionary', 8),
    ('Known data sets: in verify', 1),
    ('Reading, drawing, exporting', 7),
])
def test_messages_are_those_of_the_code(heading: str, least: int) -> None:
    """What stands between dots is said by one file of the package."""
    files = [''.join(node.value
                     for node in ast.walk(ast.parse(path.read_bytes()))
                     if isinstance(node, ast.Constant)
                     and isinstance(node.value, str))
             for path in (REPO / 'projects/lmim/lmim').rglob('*.py')]
    page = REPO / 'docs/troubleshooting.md'
    messages = [message for row in table_rows(page, heading)
                for message in re.findall('`(.+?)`', row[0])]
    assert len(messages) >= least
    for message in messages:
        parts = [part.strip() for part in message.split('...') if part]
        # The first is MMEngine's, the second Python's.
        assert re.search('registry|No module', message) or any(
            all(part in file for part in parts) for file in files), message


def test_every_config_is_told_of() -> None:
    """By its name, or as another size of one that is."""
    text = ''.join((REPO / name).read_text(encoding='utf-8')
                   for name in ('docs/model_zoo.md', 'docs/finetune.md',
                                'docs/backbone.md', 'docs/proving_ground.md'))
    for path in CONFIGS:
        size = re.sub('vit-(tiny|base)', 'vit-small', path.name)
        assert size in text or path.name in text, path
