"""`create`: one LMDB of any sources."""
import argparse
from pathlib import Path
from typing import Any, Dict

from lmim.datasets.lmdb_writer import refuse_to_replace
from lmim.cli import Command, at_least
from .conversion import MAGIC, Conversion
from .inputs import add_input_arguments, leaves, open_input
from .parallel import add_workers_argument
from .reasons import tell_reasons
from .transfer import count_records, refuse_source_as_result, transfer


class Create(Command):
    """Make one LMDB of everything that is given.

    It has the keys image-%09d, label-%09d (plain text, where there are
    labels) and num-samples, as Union14M, PARSeq and MMOCR read them. Records
    keep their order. Those that cannot be read are left out, counted, and
    named in OUT.skipped.jsonl.

    OUT appears whole or not at all.
    """

    name = 'create'
    summary = 'make one LMDB of LMDBs, folders and lists'
    example = 'create train_list.txt more_crops/ words.lmdb --workers 4'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add_input_arguments(parser)
        add = parser.add_argument
        add('out', type=Path, metavar='OUT', help='the LMDB to make')
        add_copy_arguments(parser)
        add('--shrink', type=at_least(1), metavar='PIXELS',
            help='shrink pictures whose shorter side is longer than this '
            '(others are copied as they are)')
        add('--format', choices=sorted(MAGIC),
            help='encode pictures of other formats in this one (default: '
            'they are copied as they are; shrunk ones are jpg)')
        add('--quality', type=at_least(1), metavar='Q',
            help='of pictures that are encoded as jpg, 1 to 100 (default: '
            '95)')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Copy all records."""
        conversion = Conversion(
            check=not args.no_check,
            labels=not args.unlabelled,
            shrink=args.shrink,
            format=args.format,
            quality=_quality(args))
        refuse_to_replace(args.out, args.overwrite)
        source = open_input(args)
        refuse_source_as_result(args.sources, source, [args.out])
        done = transfer(
            source, {'all': args.out},
            args.out.with_name(f'{args.out.name}.skipped.jsonl'), conversion,
            args.workers, self.name, args.overwrite)
        written = count_records(args.out)
        return {
            'out': str(args.out),
            'sources': [{'path': leaf.path, 'layout': leaf.layout,
                         'records': len(leaf)} for leaf in leaves(source)],
            'written': written['records'],
            'labelled': written['labelled'],
            **done
        }

    def report(self, result: Dict[str, Any]) -> str:
        """Tell what was done in words."""
        lines = [f'{one["path"]}: {one["layout"]}, {one["records"]:,} records'
                 for one in result['sources']]
        lines.append(f'{result["written"]:,} of {result["records"]:,} records '
                     f'are in {result["out"]}, {result["labelled"]:,} of them '
                     'with a label')
        return '\n'.join(lines + tell_transfer(result))


def add_copy_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the commands that copy records have in common."""
    add = parser.add_argument
    add('--unlabelled', action='store_true', help='leave labels behind')
    add('--no-check', action='store_true',
        help='copy without decoding: faster, and broken pictures come along')
    add('--overwrite', action='store_true',
        help='replace an LMDB that is there')
    add_workers_argument(parser)


def tell_transfer(result: Dict[str, Any]) -> list:
    """Lines of a report on what was left out, and how fast it was."""
    lines = tell_reasons(result['skipped'], 'left out')
    if result['skipped_file']:
        lines.append(f'all that was left out: {result["skipped_file"]}')
    lines.append(f'{result["records"]:,} records in {result["seconds"]:.1f} s, '
                 f'{result["records_per_second"]:,.0f}/s')
    return lines


def _quality(args: argparse.Namespace) -> int:
    if args.quality is None:
        return Conversion.quality
    if args.quality > 100:
        raise ValueError(f'--quality is 1 to 100, not {args.quality}')
    if args.format == 'png' or not (args.format or args.shrink):
        raise ValueError('--quality is of pictures encoded as jpg: give it '
                         'with --format jpg or --shrink')
    return args.quality
