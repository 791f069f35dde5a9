"""`label`: pictures without labels get those that a recognizer is sure of."""
import argparse
from pathlib import Path
from typing import Any, Dict, List

from lmim.apis.recognizer import TextRecognizer
from lmim.cli import Command, add_size_arguments, at_least, track
from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.datasets.pictures import Pictures
from lmim.engine.precision import PRECISIONS
from lmim.utils.atomic import refuse_existing
from lmim.utils.errors import UserError

from .inputs import (Reasons, add_input_arguments, describe, open_input,
                     reason_lines, refuse_source_as_result, source_lines)


class LabelPictures(Command):
    """Label pictures by a recognizer, and keep what it is sure of.

    OUT is an LMDB of pictures with these labels, to train on beside real
    ones: a recognizer learns from its own readings where they are mostly
    right (pseudo-labels; Lee, 2013). Readings below --min-score, and empty
    ones, are left out and counted. OUT appears whole or not at all.
    """

    name = 'label'
    summary = 'label pictures by a recognizer, where it is sure'
    example = 'label crops/ labelled.lmdb --min-score 0.95'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add_input_arguments(parser)
        add = parser.add_argument
        add('out', type=Path, metavar='OUT', help='the LMDB to make')
        add('--checkpoint', type=Path,
            help='of a recognizer (default: the reader that comes with lmim)')
        add('--config', type=Path,
            help='its config, where the checkpoint carries none')
        add('--language', metavar='NAME', help='as of `lmim infer`')
        add_size_arguments(parser)
        add('--min-score', type=float, default=0.9, metavar='P',
            help='the least probability of a word (default: %(default)s)')
        add('--device', help='(default: a GPU if there is one)')
        add('--precision', choices=PRECISIONS, default='fp32',
            help='(default: %(default)s)')
        add('--batch-size', type=at_least(1), default=64, metavar='N',
            help='(default: %(default)s)')
        add('--overwrite', action='store_true', help='replace OUT')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Read all pictures, and copy those that are read surely."""
        if not 0 <= args.min_score <= 1:
            raise UserError('--min-score is a probability, from 0 to 1, not '
                            f'{args.min_score:g}')
        refuse_existing(args.out, args.overwrite)
        source = open_input(args)
        refuse_source_as_result(source, [args.out])
        reader = TextRecognizer(
            args.checkpoint, args.config, args.device, args.batch_size,
            args.precision, language=args.language, width=args.width,
            max_length=args.max_length)
        skipped = Reasons()
        unsure = empty = 0
        surest = 0.
        with LMDBWriter(args.out, args.overwrite) as writer:
            for number, word in enumerate(track(
                    reader.read(Pictures(source)), len(source), 'reading')):
                if word.error is not None:
                    skipped.add(source.name(number), word.error)
                elif not word.text:
                    empty += 1
                elif word.score < args.min_score:
                    unsure += 1
                    surest = max(surest, word.score)
                else:
                    writer.add(source.read(number), word.text)
            if not writer.count:
                raise UserError(
                    f'none of {len(source):,} pictures gets a label: '
                    f'{skipped.total:,} cannot be read, of {empty:,} nothing '
                    f'is read, and {unsure:,} are read less surely than '
                    f'--min-score {args.min_score!r}, the surest with '
                    f'{surest:.3f}. Lower --min-score, or take another '
                    'recognizer')
        return {'out': str(args.out), 'sources': describe(source),
                'records': len(source), 'labelled': writer.count,
                'unsure': unsure, 'empty': empty,
                'min_score': args.min_score,
                'checkpoint': str(reader.checkpoint),
                'skipped': skipped.result()}

    def report(self, result: Dict[str, Any]) -> str:
        """Report in words."""
        lines: List[str] = source_lines(result['sources'])
        lines.append(
            f'{result["labelled"]:,} of {result["records"]:,} are read with a '
            f'probability of {result["min_score"]:g} or more, and are in '
            f'{result["out"]} with what was read; left out: '
            f'{result["unsure"]:,} less sure, {result["empty"]:,} of which '
            'nothing was read')
        return '\n'.join(
            lines + reason_lines(result['skipped'], 'left out'))
