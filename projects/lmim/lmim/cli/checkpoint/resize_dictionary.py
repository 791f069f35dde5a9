"""`resize-dictionary`: another dictionary for a trained recognizer."""
import argparse
from pathlib import Path
from typing import Any, Dict, List

from mmengine.config import Config

from lmim.cli import Command

from lmim.checkpoints.config_text import dicts_in, parse_config, write_config
from lmim.checkpoints.contents import (Checkpoint, add_config, open_checkpoint,
                        refuse_existing, write_checkpoint)
from lmim.checkpoints.dictionaries import describe_dictionary, read_characters
from lmim.utils.errors import CheckpointError
from lmim.checkpoints.resizing import resize_dictionary
from .arguments import add_output, carried_line, describe_file, file_line


class ResizeDictionary(Command):
    """Give a trained recognizer another dictionary, and train on from there.

    What was learnt of a character that both dictionaries have is carried
    over, wherever it stands in them; so are the tokens for start, end,
    padding and unknown. New characters start as in a new model.

    Old dictionary and config are taken from the checkpoint, or are named. It
    works for any recognizer of MMOCR.
    """

    name = 'resize-dictionary'
    summary = "give a recognizer another dictionary, keep shared characters'"
    example = ('resize-dictionary work_dirs/NAME/epoch_10.pth chinese.pth '
               '--dict chinese.txt')

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('input', type=Path, metavar='IN', help='a recognizer')
        add_output(parser)
        add('--dict', type=Path, required=True, metavar='NEW',
            help='the new dictionary file, one character a line')
        add('--old-dict', type=Path, metavar='OLD',
            help='the dictionary it was trained with, where the checkpoint '
            'does not tell')
        add('--config', type=Path,
            help='its config, where the checkpoint holds none')
        add('--seed', type=int, default=0,
            help="of new characters' weights (default: %(default)s)")

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Resize one recognizer."""
        refuse_existing(args.output, args.overwrite)
        new = read_characters(args.dict)
        source = open_checkpoint(args.input)
        before = describe_file(source, args.input)
        old = _old_characters(source, args)
        model = _model(source, args)
        done = resize_dictionary(source, model, old, new, args.seed)
        meta = done.checkpoint.meta
        meta['cfg'] = name_dictionary(meta['cfg'], str(args.input),
                                      str(args.dict))
        write_checkpoint(done.checkpoint, args.output, args.overwrite)
        return {
            'input': before,
            'output': describe_file(done.checkpoint, args.output),
            'dictionary': str(args.dict),
            'carried': done.carried,
            'new': done.new,
            'dropped': done.dropped,
            'tokens': done.tokens,
            'tensors': {name: {'before': was, 'after': becomes}
                        for name, (was, becomes) in done.tensors.items()},
        }

    def report(self, result: Dict[str, Any]) -> str:
        """Tell what was done in words."""
        lines = [f'read     {file_line(result["input"])}',
                 f'written  {file_line(result["output"])}',
                 f'it {carried_line(result["output"])}']
        for what in ('carried', 'new', 'dropped'):
            characters = result[what]
            shown = ''.join(characters[:60])
            more = ' ...' if len(characters) > 60 else ''
            lines.append(f'{what}: {len(characters)} characters  '
                         f'{shown}{more}'.rstrip())
        lines.append('tokens kept: ' + ', '.join(result['tokens']))
        lines += [f'{name}: {shape["before"]} -> {shape["after"]}'
                  for name, shape in result['tensors'].items()]
        lines.append('its config names the new dictionary; a config of your '
                     f'own needs dictionary.dict_file={result["dictionary"]}')
        return '\n'.join(lines)


def _old_characters(source: Checkpoint,
                    args: argparse.Namespace) -> List[str]:
    """The characters of the old dictionary, wherever they are told."""
    if args.old_dict is not None:
        return read_characters(args.old_dict)
    held = source.characters()
    if held is not None:
        return held
    model = (Config.fromfile(args.config).model.to_dict()
             if args.config else source.model_config())
    told = describe_dictionary(model) if model else None
    if told is None:
        raise CheckpointError(
            f'checkpoint {source.path} does not tell its dictionary, and '
            'there is no file of it: name it with --old-dict OLD')
    return list(told['characters'])


def _model(source: Checkpoint, args: argparse.Namespace) -> Dict[str, Any]:
    """The config of the recognizer, which is carried on, too."""
    if args.config is not None:
        return add_config(source.meta, args.config).model.to_dict()
    model = source.model_config()
    if model is None:
        raise CheckpointError(
            f'checkpoint {source.path} holds no config: name it with '
            '--config CONFIG (`inspect` tells which configs fit)')
    return model


def name_dictionary(text: str, where: str, path: str) -> str:
    """Name another dictionary file in the text of a config.

    Args:
        text (str): The text.
        where (str): Where it is from, for messages.
        path (str): The file.

    Returns:
        str: The text with that file.

    Raises:
        CheckpointError: If the text is more than data.
    """
    config = parse_config(text, where)
    for part in dicts_in(config):
        if 'dict_file' in part:
            part['dict_file'] = path
    return write_config(config)
