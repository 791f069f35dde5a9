"""`create` and `split`: records copied into LMDBs."""
import argparse
import json
import re
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Dict, List, Optional, Pattern, Tuple

from lmim.cli import Command
from lmim.datasets.decoding import decode_image
from lmim.datasets.records import (RecordSource, UnreadableRecordError,
                                   is_lmdb)
from lmim.datasets.splitting import part_of, word_key
from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.utils.atomic import write_atomic
from lmim.utils.errors import UserError
from .inputs import (Reasons, add_input_arguments, describe, open_input,
                     reason_lines, refuse_source_as_result, source_lines)
from .parallel import add_workers_argument, map_records


class Create(Command):
    """Make one LMDB of everything that is given.

    It has the keys image-%09d, label-%09d (plain text, where there are
    labels) and num-samples, as Union14M, PARSeq and MMOCR read them. Records
    keep their order. Those that cannot be read are left out, counted, and
    named in OUT.skipped.jsonl. OUT appears whole or not at all.
    """

    name = 'create'
    summary = 'make one LMDB of LMDBs, folders and lists'
    example = 'create train_list.txt more_crops/ words.lmdb --workers 4'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add_input_arguments(parser)
        add = parser.add_argument
        add('out', type=Path, metavar='OUT', help='the LMDB to make')
        _add_copy_arguments(parser)

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Copy all records."""
        source = open_input(args)
        done = _copy(source, {'all': args.out}, args,
                     args.out.with_name(f'{args.out.name}.skipped.jsonl'))
        made, = done.pop('parts').values()
        return {'out': made['path'], 'sources': describe(source),
                'written': made['records'], 'labelled': made['labelled'],
                **done}

    def report(self, result: Dict[str, Any]) -> str:
        """Report in words."""
        lines = source_lines(result['sources'])
        lines.append(f'{result["written"]:,} of {result["records"]:,} records '
                     f'are in {result["out"]}, {result["labelled"]:,} of them '
                     'with a label')
        return '\n'.join(lines + _copy_lines(result))


class Split(Command):
    """Part records into OUT_DIR/train.lmdb and OUT_DIR/val.lmdb.

    A record's part depends on its own content alone: not on its place, nor
    on other records. So a set that grows is split again without any record
    changing sides, and copies of a picture are always on the same side.

    By default the bytes of the picture decide. Both parts are then alike,
    which is what most want to measure. With --by label equal words (of any
    case) stay together: the validation shows how words are read that
    training never saw. Choose it where pictures of a word are nearly alike
    (frames of a video, copies encoded anew, few words rendered often); a
    frequent word then moves the sizes of both parts.

    As `create`, it leaves out what cannot be read and names it (in
    OUT_DIR/skipped.jsonl), and writes each part whole or not at all.
    """

    name = 'split'
    summary = 'part a set into training and validation, stably'
    example = 'split words.lmdb data/words --val 0.05 --by label'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add_input_arguments(parser)
        add = parser.add_argument
        add('out_dir', type=Path, metavar='OUT_DIR')
        add('--val', type=_share, default=0.1, metavar='SHARE',
            help='about so much of it is held out, between 0 and 1 (default: '
            '%(default)s)')
        add('--by', choices=('image', 'label'), default='image',
            help='what decides about the part (default: %(default)s)')
        _add_copy_arguments(parser)

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Copy all records, each into its part."""
        if args.by == 'label' and args.unlabelled:
            raise UserError('--by label needs the labels that --unlabelled '
                            'leaves behind. Give one of them')
        if is_lmdb(str(args.out_dir)):
            raise UserError(f'{args.out_dir} is an LMDB; OUT_DIR is the '
                            'folder for train.lmdb and val.lmdb')
        source = open_input(args)
        if args.by == 'label' and not source.labelled:
            raise UserError(f'{source.path} has no labels ({source.layout}), '
                            'and --by label needs them. Give --labels, or '
                            'split --by image')
        places = {part: args.out_dir / f'{part}.lmdb'
                  for part in ('train', 'val')}
        done = _copy(source, places, args, args.out_dir / 'skipped.jsonl')
        return {'out_dir': str(args.out_dir), 'val': args.val, 'by': args.by,
                **done}

    def report(self, result: Dict[str, Any]) -> str:
        """Report in words."""
        parts = result['parts'].values()
        total = sum(part['records'] for part in parts)
        lines = [f'{part["path"]}: {part["records"]:,} records '
                 f'({part["records"] / total:.1%}), {part["labelled"]:,} of '
                 'them with a label' for part in parts]
        return '\n'.join(lines + _copy_lines(result))


def _add_copy_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the commands that copy records have in common."""
    add = parser.add_argument
    add('--unlabelled', action='store_true', help='leave labels behind')
    add('--match', type=_pattern, metavar='PATTERN',
        help='leave out records whose label a regular expression does not '
        'match whole, such as "[A-Za-z0-9]{3,}"')
    add('--overwrite', action='store_true',
        help='replace an LMDB that is there')
    add_workers_argument(parser)


def _copy(source: RecordSource, places: Dict[str, Path],
          args: argparse.Namespace, skipped: Path) -> Dict[str, Any]:
    """Write all records into the LMDBs of their parts.

    What is left out is listed in the file ``skipped``, as JSON lines.
    """
    if args.overwrite:
        refuse_source_as_result(source, [*places.values()])
    reasons, lines = Reasons(), []
    parts: Dict[str, Dict[str, Any]] = {
        part: {'path': str(place), 'records': 0, 'labelled': 0}
        for part, place in places.items()}
    with ExitStack() as stack:
        writers = {part: stack.enter_context(LMDBWriter(place,
                                                        args.overwrite))
                   for part, place in places.items()}
        copies = map_records(partial(_read, labels=not args.unlabelled),
                             source, range(len(source)), args.workers,
                             args.command)
        for index, (image, label, reason) in enumerate(copies):
            by_label = getattr(args, 'by', 'image') == 'label'
            if by_label and label is None:
                reason = reason or 'no label'
            if args.match and not args.match.fullmatch(label or ''):
                reason = reason or 'its label does not match --match'
            if reason:
                name = source.name(index)
                reasons.add(name, reason)
                lines.append(json.dumps({'record': name,
                                         'reason': reason}) + '\n')
                continue
            part = 'all'
            if 'val' in places:
                key = word_key(label) if by_label and label else image
                part = 'val' if part_of(key, args.val) else 'train'
            writers[part].add(image, label)
            parts[part]['records'] += 1
            parts[part]['labelled'] += label is not None
        _refuse_empty(parts, reasons, len(source))
    if lines:
        write_atomic(skipped, ''.join(lines).encode())
    else:
        skipped.unlink(missing_ok=True)
    return {
        'records': len(source),
        'parts': parts,
        'skipped': reasons.result(),
        'skipped_file': str(skipped) if lines else None,
    }


def _read(source: RecordSource, index: int,
          labels: bool) -> Tuple[bytes, Optional[str], str]:
    """The picture of a record and its label, or why it is left out."""
    try:
        image = source.read(index)
        label = source.label(index) if labels else None
        decode_image(image)
    except UnreadableRecordError as error:
        return b'', None, str(error)
    return image, label, ''


def _refuse_empty(parts: Dict[str, Dict[str, Any]], reasons: Reasons,
                  total: int) -> None:
    """Refuse to make an LMDB without records, before any is made."""
    empty = [part['path'] for part in parts.values() if not part['records']]
    if not empty:
        return
    why = 'None was left out: there are too few'
    if reasons.first:
        why = (f'{reasons.total:,} were left out; the first: '
               '{record}: {reason}'.format(**reasons.first[0]))
    raise UserError(f'{", ".join(empty)} would have no record, so nothing '
                    f'was made of {total:,} records. {why}')


def _copy_lines(result: Dict[str, Any]) -> List[str]:
    """Lines of a report on what was left out."""
    lines = reason_lines(result['skipped'], 'left out')
    if result['skipped_file']:
        lines.append(f'all that was left out: {result["skipped_file"]}')
    return lines


def _pattern(text: str) -> Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(
            f'{text!r} is no regular expression: {error}') from error


def _share(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f'{text} is not between 0 and 1')
    return value
