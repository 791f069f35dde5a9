"""`resize-dictionary`: another dictionary for a trained recognizer."""
import argparse
from pathlib import Path
from typing import Any, Dict, Tuple

from lmim.apis.loading import needed_config
from lmim.apis.resizing import resize_dictionary
from lmim.checkpoints import Checkpoint, CheckpointError, open_checkpoint
from lmim.checkpoints.config_text import dicts_in, write_config
from lmim.checkpoints.dictionaries import (CHARACTERS, describe_dictionary,
                                            read_dict_file)
from .convert import Maker, describe_file, written_lines


class ResizeDictionary(Maker):
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
        super().add_arguments(parser)
        add = parser.add_argument
        add('--dict', type=Path, required=True, metavar='NEW',
            help='the new dictionary file, one character a line')
        add('--old-dict', type=Path, metavar='OLD',
            help='the dictionary it was trained with, where the checkpoint '
            'does not tell')
        add('--config', type=Path,
            help='its config, where the checkpoint holds none')
        add('--seed', type=int, default=0,
            help="of new characters' weights (default: %(default)s)")

    def make(self, args: argparse.Namespace
             ) -> Tuple[Checkpoint, Dict[str, Any]]:
        """Resize one recognizer."""
        new = read_dict_file(args.dict)
        source = open_checkpoint(args.input)
        config = needed_config(source, args.config)
        old = (source.characters() if args.old_dict is None else
               read_dict_file(args.old_dict))
        if old is None:
            described = describe_dictionary(config.model) or {}
            old = described.get(CHARACTERS)
        if old is None:
            raise CheckpointError(
                f'checkpoint {source.path} does not tell its dictionary, and '
                'there is no file of it: name it with --old-dict OLD')
        done = resize_dictionary(source, config.model, old, new, args.seed)
        cfg = config.cfg.to_dict()
        for part in dicts_in(cfg):
            if 'dict_file' in part:
                part['dict_file'] = str(args.dict)
        done.checkpoint.meta['cfg'] = write_config(cfg)
        return done.checkpoint, {
            'input': describe_file(source, args.input),
            'dictionary': str(args.dict),
            'carried': done.carried,
            'new': done.new,
            'dropped': done.dropped,
            'tokens': done.tokens,
            'tensors': {name: {'before': was, 'after': becomes}
                        for name, (was, becomes) in done.tensors.items()}}

    def report(self, result: Dict[str, Any]) -> str:
        """Tell what was done in words."""
        lines = written_lines(result)
        for what in ('carried', 'new', 'dropped'):
            characters = result[what]
            more = ' ...' if len(characters) > 60 else ''
            lines.append(f'{what}: {len(characters)} characters  '
                         f'{"".join(characters[:60])}{more}'.rstrip())
        lines.append('tokens kept: ' + ', '.join(result['tokens']))
        lines += [f'{name}: {shape["before"]} -> {shape["after"]}'
                  for name, shape in result['tensors'].items()]
        lines.append('its config names the new dictionary; a config of your '
                     f'own needs dictionary.dict_file={result["dictionary"]}')
        return '\n'.join(lines)
