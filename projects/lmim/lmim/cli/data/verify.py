"""`verify`: whether the known data sets are there, and whole."""
import argparse
import os.path as osp
from typing import Any, Dict, List, Optional

import lmdb

from lmim.datasets.known_sets import KnownSet, data_root_in_use, read_catalogue
from lmim.datasets.decoding import decode_image
from lmim.datasets.records import (RecordSource, UnreadableRecordError,
                                   open_sources)
from lmim.cli import Command, at_least
from .known_sets import about, add_catalogue_arguments, choose
from lmim.cli import track

#: So many unreadable records of a set are named.
NAMED = 3


class Verify(Command):
    """Open the known data sets, and compare them with what is published.

    Each set is opened, its records are counted, and some of them, evenly
    spread, are decoded and their labels read (`validate` does this with
    every record). What is missing is told with how it is obtained. SET is as
    of `list`; without one, all that are there, also in part, are verified.
    """

    name = 'verify'
    summary = 'whether known data sets are there, and as published'
    example = 'verify common_benchmarks --data-root data'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add_catalogue_arguments(parser)
        parser.add_argument(
            '--all', action='store_true',
            help='also the published ones of which nothing is there')
        parser.add_argument(
            '--sample', type=at_least(0), default=100, metavar='N',
            help='so many records of each set are decoded (default: '
            '%(default)s)')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Verify; the result is not ok where anything is wrong."""
        catalogue = read_catalogue(args.configs, args.data_root)
        known = choose(catalogue, args.sets)
        root = osp.abspath(data_root_in_use(args.data_root))
        if not args.sets:
            known = [each for each in known
                     if each.there != 'no'
                     or args.all and 'homepage' in each.source]
        if not known:
            raise ValueError(
                f'none of the known data sets lies in {root}. `list` tells '
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
        """Tell it set by set."""
        lines: List[str] = []
        for each in result['sets']:
            title = f'{each["name"]} ({each["config"]}.py, {each["kind"]})'
            if not each['problems']:
                lines.append(f'{title}: {_count(each)}')
            for problem in each['problems']:
                lines.append(f'{title}: WRONG: {problem}')
            if each['missing'] and each['obtain']:
                page = each['homepage']
                lines.append(f'  {each["obtain"]}' +
                             (f' Home page: {page}' if page else ''))
        bad = sum(bool(each['problems']) for each in result['sets'])
        lines.append(
            f'{len(result["sets"])} set(s) of {result["data_root"]} '
            f'verified, {bad} of them not as they should be.')
        return '\n'.join(lines)


def _count(verdict: Dict[str, Any]) -> str:
    """The number of records of a set that is as it should be."""
    told = ('as published' if verdict['num_samples'] is not None else
            'no number is published')
    return f'{verdict["records"]:,} records, {told}'


def _verify(known: KnownSet, sample: int,
            names: Dict[int, str]) -> Dict[str, Any]:
    """All that is wrong with a set.

    Args:
        known (KnownSet): The set.
        sample (int): So many records are looked at.
        names (Dict[int, str]): Which set has how many records.
    """
    verdict = dict(about(known), records=None, problems=[])
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
    problem = _look(source, sample, with_text)
    if problem is not None:
        problems.append(problem)
    return verdict


def _look(source: RecordSource, sample: int,
          with_text: bool) -> Optional[str]:
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
    if not bad:
        return None
    return (f'{len(bad)} of {count} records looked at cannot be read, such '
            f'as {"; ".join(bad[:NAMED])}. `validate` looks at all')
