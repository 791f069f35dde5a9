"""The command line `lmim COMMAND`, which is `python -m lmim COMMAND`, too.

A command's module is imported when the command is called.
"""
import sys
from importlib import import_module
from typing import List, Optional

#: What each command is for; its module is the one of this name here.
COMMANDS = {
    'checkpoint': 'inspect, convert, average and extend checkpoints',
    'compare': 'what pre-training is worth, by the number of labels',
    'data': 'make and check sets of word images',
    'demo': 'a page to try a checkpoint on',
    'doctor': 'what is wrong with this installation',
    'export': 'export a checkpoint to ONNX',
    'finetune': 'train a recognizer on with words of your own',
    'infer': 'read words in pictures',
    'pool': 'labelled pictures that a recognizer looks at as it reads',
    'visualize': 'pictures of the data and of what was learnt',
}


def main(argv: Optional[List[str]] = None) -> int:
    """Run a command, or list all where none is named; the exit status."""
    argv = sys.argv[1:] if argv is None else argv
    if not argv or argv[0] in ('-h', '--help'):
        print(_listing())
        return 0
    if argv[0] not in COMMANDS:
        print(f'lmim: error: there is no command {argv[0]!r}\n{_listing()}',
              file=sys.stderr)
        return 2
    return int(import_module(f'lmim.cli.{argv[0]}').main(argv[1:]))


def _listing() -> str:
    """All commands, with what each is for."""
    width = max(map(len, COMMANDS))
    lines = [f'  {name:<{width}}  {summary}'
             for name, summary in COMMANDS.items()]
    return '\n'.join(['usage: lmim COMMAND [options]', '', 'commands:', *lines,
                      '', '`lmim COMMAND --help` describes each; '
                      '`python -m lmim` is the same as `lmim`.'])
