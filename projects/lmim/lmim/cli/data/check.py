"""`check`: labels against a dictionary, before training."""
import argparse
import os.path as osp
from itertools import chain
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmocr.registry import DATASETS, MODELS

from lmim.checkpoints.dictionaries import read_dict_file
from lmim.cli import Command, at_least, track
from lmim.datasets.known_sets import read_config
from lmim.datasets.labels.reading import innermost, iter_labels
from lmim.datasets.labels.report import (LabelReport, LabelWarnings,
                                         warning_lines)
from lmim.datasets.labels.spelling import Spelling, spelling_of
from lmim.datasets.records import leaves
from lmim.evaluation.word_metrics import build_metrics, deleted_message
from lmim.utils.errors import UserError
from .inputs import add_input_arguments, open_input

#: Where so few labels can be learnt, the dictionary is of something else.
HARDLY_ANY = 0.2
MISMATCH = ('Hardly any label can be learnt as it is. Either the dictionary '
            'is of another language or letter case, or the labels are no '
            'texts (see the examples): training would end at 0 % accuracy.')

#: What goes wrong where a config is, other than files that are missing.
_FAULTS = (AssertionError, AttributeError, ImportError, KeyError, SyntaxError,
           TypeError)


class Check(Command):
    """Find labels that would end the training, be cut or be learnt wrongly.

    Labels are held against a dictionary and the most characters of a word:
    those of the recognizer in --config, or --dict and --max-length. Without
    SOURCE the config's own training, validation and test sets are checked.
    So are the metrics: whether they keep the letters of the dictionary.
    No picture is looked at (`validate` does that). The exit status is 1 if
    anything is wrong.
    """

    name = 'check'
    summary = 'check labels against a dictionary and a length'
    example = ('check train.lmdb --config configs/textrecog/transformer/'
               'transformer_vit-small_8xb64-10e_union14m-l.py')

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add_input_arguments(parser, nargs='*')
        given = parser.add_mutually_exclusive_group(required=True)
        given.add_argument('--config', type=Path, metavar='FILE',
                           help='the config of a recognizer')
        given.add_argument('--dict', type=Path, metavar='FILE',
                           dest='dict_file', help='a dictionary file')
        add = parser.add_argument
        add('--max-length', type=at_least(1), metavar='N',
            help='most characters of a word (default: as the config says; '
            'with --dict, any)')
        add('--letter-case', choices=('unchanged', 'lower', 'upper'),
            help='the letter_case of the loss (default: as the config says; '
            'with --dict, unchanged)')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Look at all labels."""
        cfg, spelling, dict_file, parts = _prepare(args)
        checked = [_check(part, spelling, dict_file) for part in parts]
        seen = set().union(*(part.pop('seen') for part in checked))
        metrics = None if cfg is None else _metrics_message(
            args.config, cfg, spelling)
        return {
            'ok': metrics is None and all(part['ok'] for part in checked),
            'metrics': metrics,
            'dictionary': dict_file,
            'characters': len(spelling.characters),
            'characters_unused': sorted(spelling.characters - seen),
            'max_length': spelling.max_length,
            'letter_case': spelling.letter_case,
            'on_unknown': 'map' if spelling.maps_unknown else 'error',
            'parts': checked,
        }

    def report(self, result: Dict[str, Any]) -> str:
        """Report in words."""
        most = (f'{result["max_length"]} characters at most'
                if result['max_length'] else 'any length')
        lines = [
            f'{result["dictionary"]}: {result["characters"]:,} characters, '
            f'{len(result["characters_unused"]):,} of them in no label; '
            f'words of {most}; letter case {result["letter_case"]}'
        ]
        for part in result['parts']:
            lines += ['', *_words(part)]
        if result['metrics']:
            lines += ['', result['metrics']]
        lines += ['', 'all is well' if result['ok'] else
                  'not all is as it should be: see above']
        return '\n'.join(lines)


class LabelSet(NamedTuple):
    """Labels that are checked together, or why they cannot be read."""
    name: str
    datasets: List[Any]
    error: Optional[str] = None


def _prepare(args: argparse.Namespace
             ) -> Tuple[Optional[Config], Spelling, str, List[LabelSet]]:
    """The config, if any, what labels are held against, its name, and the
    labels.
    """
    cfg = None
    if args.config is not None:
        cfg, spelling = _read_config(args.config)
        dict_file = osp.normpath(
            cfg.model.decoder.dictionary.get('dict_file', 'the dictionary'))
    else:
        spelling = Spelling(frozenset(read_dict_file(args.dict_file)))
        dict_file = str(args.dict_file)
    given = {name: getattr(args, name)
             for name in ('max_length', 'letter_case')}
    spelling = spelling._replace(**{
        name: value for name, value in given.items() if value is not None})
    if args.sources:
        source = open_input(args)
        if not any(leaf.labelled for leaf in leaves(source)):
            raise UserError(
                f'{source.path} ({source.layout}) has no labels to check. '
                'Give a set with labels, or theirs with --labels')
        return cfg, spelling, dict_file, [LabelSet('labels', [source])]
    if cfg is None:
        raise UserError('--dict needs a SOURCE whose labels are checked')
    return cfg, spelling, dict_file, _config_parts(cfg)


def _read_config(path: Path) -> Tuple[Config, Spelling]:
    """A config, and what labels its decoder takes."""
    try:
        cfg = read_config(str(path))
    except _FAULTS as error:
        raise UserError(
            f'{path} cannot be read as a config: {type(error).__name__}: '
            f'{error}') from error
    init_default_scope(cfg.get('default_scope', 'mmocr'))
    decoder = (cfg.get('model') or {}).get('decoder') or {}
    if 'dictionary' not in decoder:
        raise UserError(
            f'{path} has no model.decoder.dictionary: it is not of a '
            'recognizer. Give the config that is to be fine-tuned, or --dict')
    try:
        spelling = spelling_of(MODELS.build(decoder))
    except _FAULTS as error:
        raise UserError(f'{path}: model.decoder cannot be built: '
                        f'{type(error).__name__}: {error}') from error
    assert spelling is not None
    return cfg, spelling


def _metrics_message(path: Path, cfg: Config,
                     spelling: Spelling) -> Optional[str]:
    """What the metrics of a config delete of its dictionary, if anything."""
    try:
        metrics = [metric for name in ('val_evaluator', 'test_evaluator')
                   for metric in build_metrics(cfg.get(name))]
    except _FAULTS as error:
        raise UserError(f'{path}: the metrics cannot be built: '
                        f'{type(error).__name__}: {error}') from error
    return deleted_message(metrics, spelling.characters)


def _config_parts(cfg: Config) -> List[LabelSet]:
    """The data sets of a config's dataloaders, each checked once.

    Validation and test often read the same.
    """
    parts: Dict[str, LabelSet] = {}
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        given = cfg.get(loader) or []
        sets = [one['dataset']
                for one in (given if isinstance(given, list) else [given])]
        key = repr(sets)
        if key in parts:
            both = f'{parts[key].name}, {loader}'
            parts[key] = parts[key]._replace(name=both)
        elif sets:
            try:
                parts[key] = LabelSet(loader, [
                    leaf for one in sets
                    for leaf in innermost(DATASETS.build(one))])
            except (OSError, ValueError, *_FAULTS) as error:
                parts[key] = LabelSet(
                    loader, [], f'{type(error).__name__}: {error}')
    return list(parts.values())


def _check(part: LabelSet, spelling: Spelling,
           dict_file: str) -> Dict[str, Any]:
    """Look at the labels of one part."""
    if part.error is not None:
        return {'name': part.name, 'ok': False, 'error': part.error,
                'seen': set()}
    report, warnings = LabelReport(spelling, 'labels'), LabelWarnings()
    labels = chain.from_iterable(map(iter_labels, part.datasets))
    for label in track(labels, sum(map(len, part.datasets)), part.name):
        report.add(label)
        warnings.add(label)
    few = report.bad > (1 - HARDLY_ANY) * report.total
    return {
        'name': part.name,
        'ok': not report.bad,
        'fine': report.total - report.bad,
        'unknown': report.unknown.count,
        'too_long': report.long.count,
        'empty_or_missing': report.empty.count,
        'unknown_characters': [
            {'character': char, 'labels': count, 'hint': report.hint(char)}
            for char, count in report.characters.most_common()
        ],
        'messages': [message for message in (
            MISMATCH if few else None,
            report.unknown_message(dict_file, '--json'),
            report.length_message()) if message],
        **warnings.summary(),
        'seen': report.seen,
    }


def _words(part: Dict[str, Any]) -> List[str]:
    """A part in words."""
    if 'error' in part:
        return [f'{part["name"]}: cannot be read: {part["error"]}']
    share = part['fine'] / max(part['labels'], 1)
    return [
        f'{part["name"]}: {part["labels"]:,} labels, {part["fine"]:,} of '
        f'them ({share:.2%}) can be learnt as they are', *part['messages'],
        f'lengths: {part["mean_length"]} characters on average; the longest:',
        *(f'  {name}' for name in part['longest']), *warning_lines(part)
    ]
