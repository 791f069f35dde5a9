"""Imports point one way: between folders, between files, and at the top."""
import ast
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Set

import lmim

ROOT = Path(lmim.__file__).parent
#: Files and folders of the package; each imports only what is before it.
ORDER = [
    'version', 'safe_globals', 'ops', 'compat', 'utils', 'checkpoints',
    'rendering', 'datasets', 'models', 'evaluation', 'visualization', 'engine',
    'apis', 'export', 'comparison', 'finetuning', 'cli', '__init__', '__main__'
]
#: Imports inside functions, and why each is there.
LATE = {
    ('lmim.compat', 'torchvision'): 'it may not load, and is repaired then',
    ('lmim.compat', 'transformers.modeling_utils'): 'it may be too new',
    ('lmim.checkpoints.reading', 'safetensors'): 'for such files alone',
    ('lmim.checkpoints.reading', 'safetensors.torch'): 'for such files alone',
    ('lmim.export.onnx_reader', 'onnxruntime'): 'optional',
    ('lmim.cli.demo', 'gradio'): 'optional',
}


class Import(NamedTuple):
    """An import: by which module, of what, and whether in a function."""
    by: str
    of: str
    late: bool


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


MODULES = {module_name(path): path for path in ROOT.rglob('*.py')}


def imports_of(module: str) -> Iterator[Import]:
    """All imports of a module that are run: not those for types alone."""
    path = MODULES[module]
    package = module if path.name == '__init__.py' else (
        module.rpartition('.')[0])

    def walk(node: ast.AST, late: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            yield from (Import(module, name.name, late)
                        for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split('.')[:len(package.split('.'))
                                       - node.level + 1]
            source = '.'.join([*(above if node.level else []),
                               *([node.module] if node.module else [])])
            for name in node.names:
                inner = f'{source}.{name.name}'
                yield Import(module, inner if inner in MODULES else source,
                             late)
        late = late or isinstance(node, (ast.FunctionDef, ast.Lambda))
        typing = isinstance(node, ast.If) and (
            ast.unparse(node.test) == 'TYPE_CHECKING')
        for child in node.orelse if typing else ast.iter_child_nodes(node):
            yield from walk(child, late)

    yield from walk(ast.parse(path.read_text(encoding='utf-8')), False)


IMPORTS: List[Import] = [one for module in MODULES
                         for one in imports_of(module)]
#: Those within the package.
INNER = [one for one in IMPORTS if one.of in MODULES]


def place(module: str) -> int:
    """Where the folder or file of a module stands in the order."""
    return ORDER.index([*module.split('.'), '__init__'][1])


def test_the_graph_is_drawn_from_the_code() -> None:
    found = {(one.by, one.of) for one in INNER}
    assert ('lmim.engine.loops', 'lmim.utils.errors') in found
    assert ('lmim.engine.optim', 'lmim.engine.precision') in found


def test_each_folder_imports_from_those_before_it() -> None:
    wrong = [f'{one.by} imports {one.of}' for one in INNER
             if place(one.of) > place(one.by)]
    assert not wrong, '\n'.join(wrong)


def test_no_circle_between_files() -> None:
    graph: Dict[str, Set[str]] = {}
    for one in INNER:
        if one.by != one.of:
            graph.setdefault(one.by, set()).add(one.of)
    TopologicalSorter(graph).prepare()  # raises CycleError with the circle


def test_no_circle_between_folders() -> None:
    """Of any depth; an ``__init__.py`` may name what is below it."""
    graph: Dict[str, Set[str]] = {}
    for one in INNER:
        path, other = MODULES[one.by], MODULES[one.of]
        if path.name != '__init__.py' and ROOT not in (
                path.parent, other.parent) and path.parent != other.parent:
            graph.setdefault(str(path.parent), set()).add(str(other.parent))
    TopologicalSorter(graph).prepare()


def test_imports_in_functions_have_a_reason() -> None:
    late = {(one.by, '.'.join(one.of.split('.')[:2])) for one in IMPORTS
            if one.late}
    assert late == set(LATE)
