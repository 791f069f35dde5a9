"""The commands of `python -m lmim`, for where the package is installed alone.

They are those of the repository's folder `tools`. Nothing is imported before
it is known which one is wanted.
"""
from importlib import import_module
from typing import List, NamedTuple


class Entry(NamedTuple):
    """A command.

    Attributes:
        module (str): Where its ``main(argv)`` is.
        summary (str): What it is for.
    """
    module: str
    summary: str


COMMANDS = {
    'browse_dataset': Entry('lmim.cli.visualize.browse',
                            "look at what a config's pipeline makes"),
    'checkpoint': Entry('lmim.cli.checkpoint',
                        'look into checkpoints, and make others'),
    'data': Entry('lmim.cli.data',
                  'make and look after sets of word images'),
    'demo': Entry('lmim.cli.demo', 'a page to try a checkpoint on'),
    'export': Entry('lmim.cli.export', 'bring a checkpoint to ONNX'),
    'infer': Entry('lmim.cli.infer', 'read words in pictures'),
    'visualize': Entry('lmim.cli.visualize',
                       'pictures of what was learnt'),
}


def main(argv: List[str]) -> int:
    """Run a command; tell of all where none is named.

    Args:
        argv (List[str]): Its name and its arguments.

    Returns:
        int: The exit status; 2 where there is no such command.
    """
    if not argv or argv[0] in ('-h', '--help'):
        print(listing())
        return 0
    entry = COMMANDS.get(argv[0])
    if entry is None:
        print(f'{argv[0]!r} is no command.\n{listing()}')
        return 2
    return int(import_module(entry.module).main(argv[1:]))


def listing() -> str:
    """All commands, with what each is for."""
    width = max(map(len, COMMANDS))
    lines = [f'  {name:<{width}}  {entry.summary}'
             for name, entry in COMMANDS.items()]
    return '\n'.join(['usage: python -m lmim COMMAND [options]', '',
                      'commands:', *lines, '',
                      '`python -m lmim COMMAND --help` tells of each.'])
