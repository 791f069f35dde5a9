"""`list`: the data sets that the configs know."""
import argparse
import difflib
import io
import os.path as osp
import shutil
import sys
from itertools import groupby
from typing import Any, Dict, List

from rich.console import Console
from rich.table import Table

from lmim.datasets.known_sets import KnownSet, data_root_in_use, read_catalogue
from lmim.cli import Command


class ListSets(Command):
    """Tell which data sets the configs know, and where each must lie.

    Each is named with what it is for, its published number of images, the
    protocol of its labels, whether it is there, and how it is obtained. SET
    is the name of a set, of its variable in the config, or of a config in
    configs/_base_/datasets.
    """

    name = 'list'
    summary = 'the data sets that the configs know, and where each must lie'
    example = 'list common_benchmarks --data-root data'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add_catalogue_arguments(parser)

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Look at the configs and at the disk."""
        sets = choose(read_catalogue(args.configs, args.data_root), args.sets)
        return {
            'data_root': osp.abspath(data_root_in_use(args.data_root)),
            'sets': [about(each) for each in sets],
        }

    def report(self, result: Dict[str, Any]) -> str:
        """Tell it as a table for each config."""
        stream = io.StringIO()
        # Where nobody watches, no path is broken.
        width = (shutil.get_terminal_size().columns
                 if sys.stdout.isatty() else 200)
        console = Console(file=stream, width=width, highlight=False)
        for config, group in groupby(result['sets'],
                                     lambda each: each['config']):
            _print_group(console, config, list(group), result['data_root'])
        there = sum(each['there'] == 'yes' for each in result['sets'])
        console.print(
            f'{there} of {len(result["sets"])} sets lie in '
            f'{result["data_root"]}. Another place: --data-root DIR, or the '
            'environment variable LMIM_DATA_ROOT.')
        return '\n'.join(map(str.rstrip, stream.getvalue().splitlines()))


def add_catalogue_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which sets, and where they and the configs are."""
    add = parser.add_argument
    add('sets', nargs='*', metavar='SET',
        help='a set, or a config that has several (default: all)')
    add('--data-root', metavar='DIR',
        help='the folder that holds the data sets (default: LMIM_DATA_ROOT of '
        'the environment, else ./data)')
    add('--configs', metavar='DIR',
        help="the folder `configs` of the repository (default: this one's, "
        'else ./configs)')


def choose(known: List[KnownSet], names: List[str]) -> List[KnownSet]:
    """Those of the sets that have one of the names; all if there is none.

    Raises:
        ValueError: If no set has a name.
    """
    wanted = {name.casefold() for name in names}
    called = {name for each in known for name in each.names}
    for name in names:
        if name.casefold() not in map(str.casefold, called):
            near = difflib.get_close_matches(name, sorted(called))
            meant = f' (do you mean {" or ".join(near)}?)' if near else ''
            raise ValueError(f'no known set is called {name!r}{meant}. '
                             '`list` without a name tells of all')
    return [each for each in known if not names
            or wanted.intersection(map(str.casefold, each.names))]


def about(known: KnownSet) -> Dict[str, Any]:
    """What is known of a set, of types that JSON has."""
    facts = known.published
    return {
        'variable': known.variable,
        'config': known.config,
        'kind': known.kind,
        'name': facts['name'],
        'labels': facts.get('labels'),
        'num_samples': facts.get('num_samples'),
        'paths': known.paths,
        'missing': known.missing,
        'there': known.there,
        'homepage': known.source.get('homepage'),
        'obtain': known.source.get('obtain'),
    }


def _print_group(console: Console, config: str, group: List[Dict[str, Any]],
                 data_root: str) -> None:
    """The sets of a config."""
    table = Table(title=f'configs/_base_/datasets/{config}.py',
                  title_justify='left', box=None, pad_edge=False)
    table.add_column('set', overflow='fold')
    table.add_column('for')
    table.add_column('images', justify='right')
    table.add_column('labels')
    table.add_column('there')
    table.add_column('in the data root', overflow='fold')
    for each in group:
        count, gaps = each['num_samples'], each['there'] == 'in part'
        table.add_row(
            each['name'], each['kind'], '' if count is None else f'{count:,}',
            each['labels'] or '', each['there'], '\n'.join(
                osp.relpath(path, data_root) +
                (' (missing)' if gaps and path in each['missing'] else '')
                for path in each['paths']))
    console.print(table)
    for homepage, obtain in dict.fromkeys(
            (each['homepage'], each['obtain']) for each in group):
        source = f' Home page: {homepage}' if homepage else ''
        console.print(f'{obtain}{source}', soft_wrap=True)
    console.print()
