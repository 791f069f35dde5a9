"""What the documents say is so: each command, snippet, path and option."""
import ast
import re
from pathlib import Path
from typing import Any, Callable, List, Tuple

import pytest
from mmengine.config import Config, DictAction
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmocr.registry import HOOKS, MODELS, TRANSFORMS

from tests.documents import (
    DOCUMENTS,
    REPO,
    anchors,
    blocks,
    commands,
    links,
    paths,
    table_rows,
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
                rf'^def {name}\(', (REPO / path).read_text(), re.M), (
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


#: How each command of the documents is exercised; the first pattern counts.
TABLE: List[Tuple[str, Exercise]] = [
    (r'bash tools/quickstart\.sh( --\w.*)?', quick_start),
    # Whoever reads this has run it.
    (r'bash tools/run_tests\.sh', by('tests/test_docs.py::by')),
    (r'\. \.venv/bin/activate', made_by_set_up),
    (r'pip install -e .*', installs),
    (r'export PYTHONPATH=\$PWD/projects/lmim:\$PYTHONPATH',
     by('tests/test_import.py::test_mmocrs_own_train_script')),
    (r'python tools/data\.py render .*', Reader.rendered_in_small),
    (r'python tools/data\.py verify', Reader.verified),
    (r'python tools/checkpoint\.py .*', Reader.as_it_is),
    (r'python tools/data\.py dedup data/Union14M-L/.*',
     by('tests/tools/test_dedup.py::test_the_clean_set_of_a_benchmark')),
    (r'python tools/(data|verify_reference)\.py .*', Reader.as_it_is),
    (r'python (MMOCR/)?tools/(train|test)\.py .*', Reader.in_small),
    (r'(\w+=\w+ )*bash tools/(dist|slurm)_(train|test)\.sh .*',
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


@pytest.mark.parametrize('name', NAMES)
def test_what_a_reader_types_works(name: str, tmp_path: Path,
                                   monkeypatch: pytest.MonkeyPatch) -> None:
    """From top to bottom: later commands use what earlier ones made."""
    document = REPO / name
    typed = [block for block in blocks(document)
             if block.language in ('bash', 'python')]
    if not typed:
        return
    reader = Reader(tmp_path, monkeypatch)
    reader.gather_data()
    for block in typed:
        if block.language == 'python':
            file = re.match(r'# (\w+\.py)\n', block.text)
            if file:
                (tmp_path / file.group(1)).write_text(block.text)
            else:
                exec(compile(block.text, f'{name}:{block.line}', 'exec'), {})
            continue
        for command in commands(document, block):
            try:
                exercise_of(command.text)(reader, command.text)
            except Exception as error:
                raise AssertionError(f'{command}\n{error}') from error


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


def test_every_ablation_is_an_option() -> None:
    rows = table_rows(README, 'Ablations')
    mini = REPO / 'configs/pretrain/lmim/lmim_vit-mini_1xb64_rendered.py'
    published = Config.fromfile(
        REPO / 'configs/pretrain/lmim' /
        'lmim_vit-small_8xb64-5e_book32-openimages.py')
    found = 0
    for _, option, _ in rows:
        settings = dict(pair.split('=') for code in re.findall('`(.+?)`',
                                                               option)
                        for pair in code.split())
        cfg = Config.fromfile(mini)
        for key, value in settings.items():
            value = DictAction._parse_iterable(value)
            assert _get(published, key) is not None, key
            if 'default' in option:
                assert _get(published, key) == value, option
            cfg.merge_from_dict({key: value})
            assert _get(cfg, key) == value
        if settings:
            found += 1
            MODELS.build(cfg.model)
            for transform in cfg.train_dataloader.dataset.pipeline:
                TRANSFORMS.build(transform)
    assert found == 13


def test_every_option_of_finetuning_is_one() -> None:
    """It is set, and the parts that it is of can be built with it."""
    rows = table_rows(REPO / 'docs/recognizers.md', 'Options of fine-tuning')
    assert len(rows) == 8
    path = (REPO / 'configs/textrecog/lmim' /
            'lmim_vit-small_8xb64-10e_union14m-l.py')
    for _, option, default in rows:
        cfg = Config.fromfile(path)
        code = re.findall('`(.+?)`', option)[0]
        if ' = ' in code:  # of a config
            scope: dict = {}
            exec(code, scope)
            HOOKS.build(scope['custom_hooks'][0])
            continue
        key, text = code.split('=')
        before = _get(cfg, key)
        value = DictAction._parse_iterable(text)
        # Not named in the config: then it is the component's own default.
        assert before is None or str(before) == default, key
        cfg.merge_from_dict({key: value})
        assert _get(cfg, key) == value != before
        cfg.model.backbone.init_cfg = None
        with DefaultScope.overwrite_default_scope('mmocr'):
            build_optim_wrapper(MODELS.build(cfg.model), cfg.optim_wrapper)
            for transform in cfg.train_dataloader.dataset.pipeline:
                TRANSFORMS.build(transform)


def _get(cfg: Any, key: str) -> Any:
    """A setting by its dotted name, None where there is none."""
    for part in key.split('.'):
        cfg = cfg[int(part)] if part.isdigit() else cfg.get(part)
    return cfg


@pytest.mark.parametrize('name, heading, least', [
    ('README.md', 'Troubleshooting', 6),
    ('docs/data.md', 'In validate and in training', 9),
    ('docs/data.md', 'In check and dictionary', 8),
    ('docs/data.md', 'In verify and at the start of a run', 3),
])
def test_messages_are_those_of_the_code(name: str, heading: str,
                                        least: int) -> None:
    """What stands between dots is said by one file of the package."""
    files = [''.join(node.value
                     for node in ast.walk(ast.parse(path.read_bytes()))
                     if isinstance(node, ast.Constant)
                     and isinstance(node.value, str))
             for path in (REPO / 'projects/lmim/lmim').rglob('*.py')]
    messages = [message for row in table_rows(REPO / name, heading)
                for message in re.findall('`(.+?)`', row[0])]
    assert len(messages) >= least
    for message in messages:
        parts = [part.strip() for part in message.split('...') if part]
        assert 'registry' in message or any(  # that one is MMEngine's
            all(part in file for part in parts) for file in files), message


def test_every_config_is_told_of() -> None:
    """By its name, or as another size of one that is."""
    text = ''.join((REPO / name).read_text(encoding='utf-8')
                   for name in ('README.md', 'docs/recognizers.md'))
    for path in (REPO / 'configs').rglob('*.py'):
        if '_base_' not in path.parts:
            size = re.sub('vit-(tiny|base)', 'vit-small', path.name)
            assert size in text, path
