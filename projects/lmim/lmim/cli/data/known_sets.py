"""`list` and `verify`: the data sets that the configs know."""
import argparse
import difflib
import os.path as osp
from itertools import groupby
from typing import Any, Dict, List

import lmdb

from lmim.cli import Command, at_least, track
from lmim.datasets.decoding import decode_image
from lmim.datasets.known_sets import (KnownSet, data_root_in_use,
                                      read_catalogue)
from lmim.datasets.records import (RecordSource, UnreadableRecordError,
                                   open_sources)
from lmim.utils.errors import UserError
from .inputs import table

#: So many unreadable records of a set are named.
NAMED = 3


class ListSets(Command):
    """List which data sets the configs know, and where each must lie.

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
        _add_catalogue_arguments(parser)

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Look at the configs and at the disk."""
        sets = _choose(read_catalogue(args.configs, args.data_root), args.sets)
        return {
            'data_root': osp.abspath(data_root_in_use(args.data_root)),
            'sets': [each.about() for each in sets],
        }

    def report(self, result: Dict[str, Any]) -> str:
        """A table for each config."""
        root, lines = result['data_root'], []
        for config, sets in groupby(result['sets'],
                                    lambda each: each['config']):
            group = list(sets)
            rows = [('set', 'for', 'images', 'labels', 'there',
                     'in the data root')]
            for each in group:
                lost = each['missing'] if each['there'] == 'in part' else []
                places = [osp.relpath(path, root) +
                          (' (missing)' if path in lost else '')
                          for path in each['paths']]
                count = each['num_samples']
                rows.append((each['name'], each['kind'],
                             f'{count:,}' if count else '',
                             each['labels'] or '', each['there'],
                             ', '.join(places)))
            lines += [f'configs/_base_/datasets/{config}.py', *table(rows),
                      *dict.fromkeys(map(_obtain, group)), '']
        there = sum(each['there'] == 'yes' for each in result['sets'])
        lines.append(
            f'{there} of {len(result["sets"])} sets lie in {root}. Another '
            'place: --data-root DIR, or the environment variable '
            'LMIM_DATA_ROOT.')
        return '\n'.join(lines)


def _obtain(each: Dict[str, Any]) -> str:
    """How a set is obtained."""
    page = f' Home page: {each["homepage"]}' if each['homepage'] else ''
    return f'{each["obtain"]}{page}'


class Verify(Command):
    """Open the known data sets, and compare them with what is published.

    Each set is opened, its records are counted, and some of them, evenly
    spread, are decoded and their labels read (`validate` does this with
    every record). What is missing is reported with how it is obtained. SET
    is as of `list`; without one, all that are there, also in part, are
    verified.
    """

    name = 'verify'
    summary = 'whether known data sets are there, and as published'
    example = 'verify common_benchmarks --data-root data'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        _add_catalogue_arguments(parser)
        parser.add_argument(
            '--sample', type=at_least(0), default=100, metavar='N',
            help='so many records of each set are decoded (default: '
            '%(default)s)')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Verify; the result is not ok where anything is wrong."""
        catalogue = read_catalogue(args.configs, args.data_root)
        known = _choose(catalogue, args.sets)
        root = osp.abspath(data_root_in_use(args.data_root))
        if not args.sets:
            known = [each for each in known if each.there != 'no']
        if not known:
            raise UserError(
                f'none of the known data sets lies in {root}. `list` shows '
                'where each must lie; --data-root DIR, or LMIM_DATA_ROOT of '
                'the environment, gives another folder')
        names = {each.published['num_samples']: each.published['name']
                 for each in catalogue if 'num_samples' in each.published}
        verdicts = [_verify(each, args.sample, names)
                    for each in track(known, len(known), 'verify')]
        return {
            'ok': not any(verdict['problems'] for verdict in verdicts),
            'data_root': root,
            'sets': verdicts,
        }

    def report(self, result: Dict[str, Any]) -> str:
        """Report set by set."""
        lines: List[str] = []
        for each in result['sets']:
            title = f'{each["name"]} ({each["config"]}.py, {each["kind"]})'
            if not each['problems']:
                versus = ('no number is published'
                          if each['num_samples'] is None else 'as published')
                lines.append(f'{title}: {each["records"]:,} records, {versus}')
            for problem in each['problems']:
                lines.append(f'{title}: WRONG: {problem}')
            if each['missing'] and each['obtain']:
                lines.append(f'  {_obtain(each)}')
        bad = sum(bool(each['problems']) for each in result['sets'])
        lines.append(
            f'{len(result["sets"])} set(s) of {result["data_root"]} '
            f'verified, {bad} of them not as they should be.')
        return '\n'.join(lines)


def _verify(known: KnownSet, sample: int,
            names: Dict[int, str]) -> Dict[str, Any]:
    """All that is wrong with a set; ``names`` are sets by their counts."""
    verdict = dict(known.about(), records=None, problems=[])
    problems: List[str] = verdict['problems']
    if known.missing:
        problems += [f'{path} is missing' for path in known.missing]
        return verdict
    try:
        source = open_sources(known.dataset['paths'],
                              known.dataset.get('data_root', ''))
    except (OSError, ValueError, lmdb.Error) as error:
        problems.append(str(error))
        return verdict
    verdict['records'] = len(source)
    published = known.published.get('num_samples')
    if published not in (None, len(source)):
        other = names.get(len(source))
        problems.append(
            f'{len(source):,} records, and {published:,} are published: ' +
            (f'it is {other}' if other else
             'another version, or not all of it') +
            '. Results on it are not comparable with published ones')
    with_text = known.dataset.get('with_text', False)
    if with_text and not source.labelled:
        problems.append('it has no labels')
        with_text = False
    problems += _look(source, sample, with_text)
    return verdict


def _look(source: RecordSource, sample: int, with_text: bool) -> List[str]:
    """What is wrong with records that are evenly spread over a source."""
    count = min(sample, len(source))
    bad: List[str] = []
    for number in range(count):
        index = number * len(source) // count
        try:
            decode_image(source.read(index))
            if with_text and source.label(index) is None:
                raise UnreadableRecordError('it has no label')
        except UnreadableRecordError as error:
            bad.append(f'{source.name(index)}: {error}')
    return [f'{len(bad)} of {count} records looked at cannot be read, such '
            f'as {"; ".join(bad[:NAMED])}. `validate` looks at all'
            ] if bad else []


def _add_catalogue_arguments(parser: argparse.ArgumentParser) -> None:
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


def _choose(known: List[KnownSet], names: List[str]) -> List[KnownSet]:
    """Those of the sets that have one of the names; all if none is given."""
    wanted = {name.casefold() for name in names}
    called = {name for each in known for name in each.names}
    for name in names:
        if name.casefold() not in map(str.casefold, called):
            near = difflib.get_close_matches(name, sorted(called))
            meant = f' (do you mean {" or ".join(near)}?)' if near else ''
            raise UserError(f'no known set is called {name!r}{meant}. '
                             '`list` without a name lists all')
    return [each for each in known if not names
            or wanted.intersection(map(str.casefold, each.names))]
