"""Data is checked before training: paths, labels, numbers of records."""
import json
import os
import os.path as osp
from itertools import chain
from typing import (Any, Dict, Iterable, Iterator, List, Optional, Sequence,
                    Set, Tuple)

from mmengine.config import Config
from mmengine.dist import (broadcast_object_list, is_main_process,
                           master_only)
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner
from mmocr.registry import HOOKS

from lmim.datasets.known_sets import DATA_ROOT, spec_paths
from lmim.datasets.labels.reading import innermost, iter_labels
from lmim.datasets.labels.report import SHOWN, LabelReport
from lmim.datasets.labels.spelling import Spelling, spelling_of
from lmim.evaluation.word_metrics import deleted_message
from lmim.utils.atomic import write_atomic
from lmim.utils.errors import UserError
from lmim.utils.progress import track

from .checkpoint_hook import bare_model

#: In the work dir: all characters that are not in the dictionary.
LISTING = 'characters_outside_dictionary.txt'


def find_missing(cfg: Config,
                 dataloaders: Iterable[str]) -> List[Tuple[str, str]]:
    """The paths that dataloaders of a config name and that do not exist.

    Returns:
        List[Tuple[str, str]]: The setting that names each, as
        ``--cfg-options`` takes it, and the path; every path once.
    """
    missing: Dict[str, str] = {}
    for where, path in _local_paths(cfg, dataloaders):
        if not osp.exists(path):
            missing.setdefault(path, where)
    return [(where, path) for path, where in missing.items()]


def check_data(cfg: Config, dataloaders: Sequence[str]) -> None:
    """Refuse a config whose data are not there, naming all at once.

    To be called before anything is built from the config, with the names of
    the dataloaders to look at.

    Raises:
        FileNotFoundError: If any path is missing.
        UserError: If a list of samples is empty, or not JSON.
    """
    missing = find_missing(cfg, dataloaders)
    if not missing:
        _check_lists(cfg, dataloaders)
        return
    lines = ''.join(f'\n  {path}  ({where})' for where, path in missing)
    root = os.environ.get(DATA_ROOT)
    root_line = f'it is {root} now' if root else 'it is not set now'
    raise FileNotFoundError(
        f'{len(missing)} path(s) of the data sets do not exist:{lines}\n'
        'Give the folder that holds the data sets with --cfg-options '
        f'data_root=FOLDER or the environment variable {DATA_ROOT} '
        f'({root_line}), or give a path with --cfg-options '
        f'{missing[0][0]}=PATH. Relative paths start from {os.getcwd()}. '
        '`lmim data list` says where each known set must lie and '
        'how it is obtained.')


def _check_lists(cfg: Config, dataloaders: Sequence[str]) -> None:
    """Refuse an empty list of samples, with which MMEngine fails oddly."""
    for where, path in _local_paths(cfg, dataloaders):
        # A list that has samples is longer than this, or quickly read.
        if (not where.endswith('ann_file') or not osp.isfile(path)
                or osp.getsize(path) > 2**16):
            continue
        with open(path, encoding='utf-8', errors='replace') as file:
            content: Any = file.read().strip()
        if path.endswith('.json') and content:
            try:
                content = json.loads(content)
            except (json.JSONDecodeError, RecursionError) as error:
                raise UserError(f'{path} ({where}) is not JSON: {error}. '
                                'Write or copy it again.') from error
            if isinstance(content, dict):
                content = content.get('data_list', content)
        if not content:
            raise UserError(
                f'{path} ({where}) lists no sample. Give a list with at '
                f'least one: --cfg-options {where}=FILE')


def _local_paths(cfg: Config,
                 dataloaders: Iterable[str]) -> Iterator[Tuple[str, str]]:
    """Every path on this machine that the datasets of a config name."""
    for name in dataloaders:
        for loader in _listed(cfg.get(name)):
            for where, path in _named_paths(
                    loader.get('dataset'), f'{name}.dataset'):
                if '://' not in path:
                    yield where, path


def _named_paths(dataset: Any, where: str) -> Iterator[Tuple[str, str]]:
    """Every path in the config of a dataset, whatever it is wrapped in."""
    if isinstance(dataset, (list, tuple)):
        for number, item in enumerate(dataset):
            yield from _named_paths(item, f'{where}.{number}')
        return
    if not isinstance(dataset, dict):
        return
    root = dataset.get('data_root') or ''
    own = list(spec_paths(dataset['paths'])) if dataset.get('paths') else []
    # MMOCR's own data sets.
    prefix = dataset.get('data_prefix')
    named = [('ann_file', dataset.get('ann_file'))]
    named += [(f'data_prefix.{key}', value) for key, value in
              (prefix.items() if isinstance(prefix, dict) else ())]
    own += [(key, os.fspath(path)) for key, value in named
            for path in _listed(value) if not isinstance(path, dict)]
    for key, path in own or ([('data_root', '')] if root else []):
        yield f'{where}.{key}', osp.join(root, path)
    for key in ('dataset', 'datasets'):
        yield from _named_paths(dataset.get(key), f'{where}.{key}')


def _listed(value: Any) -> List[Any]:
    """What is given, of an argument that is one thing or a list of them."""
    values = value if isinstance(value, (list, tuple)) else [value]
    return [one for one in values if one]


@HOOKS.register_module()
class LabelCheckHook(Hook):
    """Refuse labels that the recognizer cannot write, before training.

    Before training and testing, metrics that delete letters of the dictionary
    are warned of; see :func:`~lmim.evaluation.word_metrics.deleted_message`.

    Without it a character that is not in the dictionary ends the run at the
    batch that has it, perhaps after hours, and the next one ends the next
    run. Labels that are longer than the decoder writes, or empty, are
    counted in a warning. Works for every recognizer of MMOCR with a
    ``decoder.dictionary``; other models, as in pre-training, are not
    checked. No picture is read: a million labels take a few seconds.

    Args:
        enable (bool): Set it to False where the pipeline changes the labels.
            Defaults to True.

    Raises:
        UserError: By :meth:`before_train`, on all processes, naming all
            characters that are not in the dictionary.
    """

    def __init__(self, enable: bool = True) -> None:
        self.enable = enable

    def before_train(self, runner: Runner) -> None:
        """Look at all labels of the training set."""
        spelling = spelling_of(
            getattr(bare_model(runner.model), 'decoder', None))
        if not self.enable or spelling is None:
            return
        self._look_at_metrics(runner, runner.val_loop, spelling)
        outcome: List[Optional[str]] = [None]
        if is_main_process():
            outcome = [self._check(runner, spelling)]
        # The others wait here, and end with it.
        broadcast_object_list(outcome)
        if outcome[0] is not None:
            raise UserError(outcome[0])

    def before_test(self, runner: Runner) -> None:
        """Look at the metrics of the test."""
        spelling = spelling_of(
            getattr(bare_model(runner.model), 'decoder', None))
        if self.enable and spelling is not None:
            self._look_at_metrics(runner, runner.test_loop, spelling)

    @staticmethod
    def _look_at_metrics(runner: Runner, loop: Any,
                         spelling: Spelling) -> None:
        """Warn of metrics that delete letters of the dictionary."""
        evaluator = getattr(loop, 'evaluator', None)
        message = deleted_message(getattr(evaluator, 'metrics', []),
                                  spelling.characters)
        if message:
            runner.logger.warning(message)

    def _check(self, runner: Runner, spelling: Spelling) -> Optional[str]:
        """Log warnings; return the message of an error, if there is one."""
        report = LabelReport(spelling)
        datasets = innermost(runner.train_dataloader.dataset)
        for label in track(chain.from_iterable(map(iter_labels, datasets)),
                           sum(map(len, datasets)), 'checking labels'):
            report.add(label)
        cut = report.length_message()
        if cut:
            runner.logger.warning(cut)
        listing = osp.join(runner.work_dir, LISTING)
        lines = report.character_lines()
        if len(lines) > SHOWN:
            write_atomic(listing, ('\n'.join(lines) + '\n').encode('utf-8'))
        value: Any = runner.cfg
        for key in ('model', 'decoder', 'dictionary', 'dict_file'):
            value = value.get(key) if hasattr(value, 'get') else None
        message = report.unknown_message(value, listing)
        if message and spelling.maps_unknown:
            runner.logger.warning(message)
            return None
        return message


@HOOKS.register_module()
class SampleCountHook(Hook):
    """Log how many records each data set has, and how many it should have.

    Benchmarks are handed out in versions that silently differ: IC13 with 857
    or 1,015 images, IC15 with 1,811 or 2,077, labels as published or
    corrected. Accuracies on different ones cannot be compared. The table goes
    to the log before training, validation or test begins; a set whose number
    is not the published one (``published`` of ``TextImageDataset``) is named
    in a warning. Data sets of other classes are listed with their number.
    """

    def __init__(self) -> None:
        self._logged: Set[str] = set()

    def before_train(self, runner: Runner) -> None:
        """Log the training set, and the validation set if any."""
        self._log(runner, 'training', runner.train_loop)
        self._log(runner, 'validation', runner.val_loop)

    def before_val(self, runner: Runner) -> None:
        """Log the validation set, once."""
        self._log(runner, 'validation', runner.val_loop)

    def before_test(self, runner: Runner) -> None:
        """Log the test sets."""
        self._log(runner, 'test', runner.test_loop)

    @master_only
    def _log(self, runner: Runner, use: str, loop: Optional[BaseLoop]) -> None:
        """Log the table of a loop's data sets, and what differs in it."""
        if loop is None or use in self._logged:
            return
        self._logged.add(use)
        rows = [('set', 'labels', 'records', 'published')]
        warnings = []
        for dataset in innermost(loop.dataloader.dataset):
            facts = getattr(dataset, 'published', None) or {}
            name = facts.get('name') or _name(dataset)
            records, published = len(dataset), facts.get('num_samples')
            rows.append((name, facts.get('labels', '-'), f'{records:,}',
                         '-' if published is None else f'{published:,}'))
            if published not in (None, records):
                warnings.append(
                    f'{name} has {records:,} records, and '
                    f'{published:,} are published: results are not '
                    'comparable with published ones. `lmim data '
                    'verify` looks closer.')
        if len(rows) == 1:
            return
        widths = [max(map(len, column)) for column in zip(*rows)]
        layout = '  {:<%d}  {:<%d}  {:>%d}  {:>%d}' % tuple(widths)
        table = '\n'.join(layout.format(*row) for row in rows)
        runner.logger.info(f'Data sets for {use}:\n{table}')
        for warning in warnings:
            runner.logger.warning(warning)


def _name(dataset: Any) -> str:
    """What a data set is called of which nothing is published."""
    path = getattr(getattr(dataset, 'source', None), 'path', None)
    return (path or getattr(dataset, 'ann_file', '')
            or type(dataset).__name__)
