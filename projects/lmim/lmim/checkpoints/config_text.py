"""Reading the config that a checkpoint holds, without running it.

MMEngine stores a config as the text of a Python file, and its own reader
executes such a text. A checkpoint may come from anybody, so here only data is
taken: assignments of literals and of ``dict(...)``, which is all that
MMEngine writes.
"""
import ast
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple

from mmengine.config import Config
from mmocr.registry import MODELS, TASK_UTILS, WEIGHT_INITIALIZERS

from lmim.utils.errors import CheckpointError, UserError


def write_config(config: Dict[str, Any]) -> str:
    """Write a config as MMEngine does, but for the looks of it.

    ``Config.fromfile(..., format_python_code=False)`` forgets that option in
    MMEngine 0.10, and laying out a config takes seconds.
    """
    return Config(config, format_python_code=False).pretty_text


def parse_config(text: str, where: str) -> Dict[str, Any]:
    """Read the text of a config, as ``Config.pretty_text`` writes it.

    Raises:
        CheckpointError: If there is more in it than data; it names ``where``
            the text is from.
    """
    try:
        return dict(map(_assignment, ast.parse(text).body))
    except (SyntaxError, ValueError, TypeError, RecursionError,
            MemoryError) as error:
        raise CheckpointError(
            f'the config in {where} cannot be read as plain data, and is not '
            f'run: {error}. Name the config file instead: --config CONFIG'
        ) from error


def _assignment(statement: ast.stmt) -> Tuple[str, Any]:
    """The name and the value of an assignment of plain data."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        if isinstance(target, ast.Name):
            try:
                return target.id, ast.literal_eval(
                    _Literals().visit(statement.value))
            except ValueError as error:
                raise UserError(f'line {statement.lineno} is no plain '
                                'data') from error
    raise UserError(f'line {statement.lineno} is no assignment')


class _Literals(ast.NodeTransformer):
    """Turns ``dict(...)``, ``inf`` and ``nan`` into literals."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Infinite and undefined values, which have no literal."""
        return (ast.Constant(float(node.id))
                if node.id in ('inf', 'nan') else node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """A call of ``dict``; any other stays, and is refused."""
        self.generic_visit(node)
        keys: List[Optional[ast.expr]] = []
        values: List[ast.expr] = []
        if not isinstance(node.func, ast.Name) or node.func.id != 'dict':
            return node
        # dict({...}) is dict(**{...}).
        positional = [ast.keyword(None, value) for value in node.args]
        for given in positional + node.keywords:
            if given.arg is not None:
                keys.append(ast.Constant(given.arg))
                values.append(given.value)
            elif isinstance(given.value, ast.Dict):
                keys += given.value.keys
                values += given.value.values
            else:
                return node
        return ast.Dict(keys, values)


def check_types(model: Dict[str, Any], where: str) -> None:
    """Refuse a model whose parts are not components of a registry.

    MMEngine imports and calls whatever a ``type`` names by its dotted path.

    Raises:
        CheckpointError: If a ``type`` or ``_scope_`` is not known; it names
            ``where`` the config is from.
    """
    scopes: Dict[str, Set[str]] = {}
    for kind in (MODELS, TASK_UTILS, WEIGHT_INITIALIZERS):
        root = kind.parent or kind
        for registry in (root, *root.children.values()):
            scopes.setdefault(registry.scope, set()).update(
                registry.module_dict)
    for part in dicts_in(model):
        scope = part.get('_scope_')
        if scope is not None and scope not in scopes:
            raise CheckpointError(
                f'the config in {where} has the unknown scope {scope!r}')
        named = part.get('type')
        if named is None:
            continue
        scope, _, name = str(named).rpartition('.')
        known = [scopes.get(scope, set())] if scope else scopes.values()
        if not any(name in names for names in known):
            raise CheckpointError(
                f'the config in {where} names {named!r}, which no registry '
                'of models knows, and it is not imported. Name a config file '
                'of your own instead: --config CONFIG')


def dicts_in(config: Any) -> Iterator[Dict[str, Any]]:
    """All dictionaries in a config, the outermost first."""
    if isinstance(config, dict):
        yield config
        config = list(config.values())
    if isinstance(config, (list, tuple)):
        for item in config:
            yield from dicts_in(item)
