"""Reading the config that a checkpoint holds, without running it.

MMEngine stores a config as the text of a Python file, and its own reader
executes such a text. A checkpoint may come from anybody, so here only data is
taken: assignments of literals and of ``dict(...)``, which is all that
MMEngine writes.
"""
import ast
from typing import Any, Dict, Iterator, List, Optional, Set

from mmengine.config import Config
from mmengine.registry import Registry
from mmocr.registry import MODELS, TASK_UTILS, WEIGHT_INITIALIZERS

from lmim.utils.errors import CheckpointError

_NAMES = {'inf': float('inf'), 'nan': float('nan')}


def write_config(config: Dict[str, Any]) -> str:
    """Write a config as MMEngine does, but for the looks of it.

    ``Config.fromfile(..., format_python_code=False)`` forgets that option in
    MMEngine 0.10, and laying out a config takes seconds.
    """
    return Config(config, format_python_code=False).pretty_text


def parse_config(text: str, where: str) -> Dict[str, Any]:
    """Read the text of a config.

    Args:
        text (str): Assignments, as ``Config.pretty_text`` writes them.
        where (str): Where it is from, for messages.

    Returns:
        Dict[str, Any]: The config.

    Raises:
        CheckpointError: If there is more in it than data.
    """
    try:
        return {
            name: value
            for statement in ast.parse(text).body
            for name, value in [_assignment(statement)]
        }
    except (SyntaxError, ValueError, TypeError, RecursionError,
            MemoryError) as error:
        raise CheckpointError(
            f'the config in {where} cannot be read as plain data, and is not '
            f'run: {error}. Name the config file instead: --config CONFIG'
        ) from error


def _assignment(statement: ast.stmt) -> Any:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        if isinstance(target, ast.Name):
            return target.id, _value(statement.value)
    raise ValueError(f'line {statement.lineno} is no assignment')


def _value(node: ast.expr) -> Any:
    """The value of an expression of literals and ``dict()``."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name) and node.id in _NAMES:
        return _NAMES[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _value(node.operand)
        if isinstance(value, (int, float)):
            return -value
    if isinstance(node, ast.List):
        return [_value(item) for item in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(_value(item) for item in node.elts)
    if isinstance(node, ast.Set):
        return {_value(item) for item in node.elts}
    if isinstance(node, ast.Dict) and None not in node.keys:
        return {
            _value(key): _value(value)
            for key, value in zip(node.keys, node.values) if key is not None
        }
    if (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            and node.func.id == 'dict'):
        items: Dict[Any, Any] = {}
        for argument in node.args:
            items.update(_value(argument))
        for keyword in node.keywords:
            if keyword.arg is not None:
                items[keyword.arg] = _value(keyword.value)
                continue
            items.update(_value(keyword.value))
        return items
    raise ValueError(f'line {node.lineno} is no plain data')


def check_types(model: Dict[str, Any], where: str) -> None:
    """Refuse a model whose parts are not components of a registry.

    MMEngine imports and calls whatever a ``type`` names by its dotted path.

    Args:
        model (Dict[str, Any]): Config of a model.
        where (str): Where it is from, for messages.

    Raises:
        CheckpointError: If a ``type`` or ``_scope_`` is not known.
    """
    registries = [
        registry for kind in (MODELS, TASK_UTILS, WEIGHT_INITIALIZERS)
        for registry in _family(kind)
    ]
    scopes: Dict[str, Set[str]] = {}
    for registry in registries:
        scopes.setdefault(registry.scope, set()).update(registry.module_dict)
    for part in dicts_in(model):
        scope = part.get('_scope_')
        if scope is not None and scope not in scopes:
            raise CheckpointError(
                f'the config in {where} has the unknown scope {scope!r}')
        kind = part.get('type')
        if kind is None:
            continue
        scope, _, name = str(kind).rpartition('.')
        known = [scopes.get(scope, set())] if scope else scopes.values()
        if not any(name in names for names in known):
            raise CheckpointError(
                f'the config in {where} names {kind!r}, which no registry '
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


def _family(registry: Registry) -> List[Registry]:
    """A registry with its parent and all that inherit from it."""
    root: Optional[Registry] = registry.parent
    root = root if root is not None else registry
    return [root, *root.children.values()]
