"""An evaluation that gets no word right says why, as far as can be checked."""
import math
from typing import (Any, Dict, Iterator, List, NamedTuple, Optional, Sequence,
                    Set, Tuple, Union)

import numpy as np
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.hooks.hook import DATA_BATCH
from mmengine.runner import Runner
from mmocr.registry import HOOKS
from torch import nn

from lmim.checkpoints.loading import LoadReport
from lmim.datasets.labels.reading import innermost, iter_labels
from lmim.datasets.labels.report import LabelReport
from lmim.datasets.labels.spelling import spelling_of
from lmim.models.backbones import TextViT
from lmim.utils.errors import some

from .checkpoint_hook import bare_model, load_report
from .train_info_hook import peak_rate

#: What part of the labels has to be wrong to be the cause of an accuracy of 0.
SHARE = 0.5
#: How many losses are averaged, and how far the last may lie above the first.
LOSSES, RISE = 10, 1.5


class Cause(NamedTuple):
    """Why no word is read.

    Attributes:
        name (str): What is wrong.
        evidence (str): What was found in this run.
        fix (str): What to do.
    """
    name: str
    evidence: str
    fix: str


#: A cause, or what was found to be in order.
Finding = Union[Cause, str]


@HOOKS.register_module()
class ZeroAccuracyHook(Hook):
    """Warn of the likely cause where an evaluation gets no word right.

    In validation and test, the first evaluation in which each ``word_acc`` of
    the metrics is 0 is looked into: labels that cannot be written, the same
    text for all pictures, a loss that has risen, a learning rate of 0, an
    encoder that is frozen or was not loaded. Each cause is reported with what
    was found and its fix; where none is found, how little the run has learnt
    yet. It is reported again only if another cause is found later. Nothing is
    computed as long as words are read, and models without a ``decoder`` that
    has a dictionary are left alone.
    """

    # After the hooks that log the metrics.
    priority = 'VERY_LOW'

    def __init__(self) -> None:
        self._pictures = 0
        #: Of readings and of labels, two at most: whether all are the same.
        self._texts: Set[str] = set()
        self._labels: Set[str] = set()
        self._loaded: Optional[LoadReport] = None
        self._meta: Dict[str, Any] = {}
        self._about_labels: Optional[List[Finding]] = None
        self._reported: Optional[List[str]] = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep what ``load_from`` or ``resume`` gave to the model."""
        self._loaded = load_report(runner, checkpoint)
        self._meta = checkpoint.get('meta') or {}

    def _before_epoch(self, runner: Runner, mode: str = 'train') -> None:
        """Forget the last evaluation."""
        if mode != 'train':
            self._pictures = 0
            self._texts, self._labels = set(), set()

    def _after_iter(self, runner: Runner, batch_idx: int,
                    data_batch: DATA_BATCH = None,
                    outputs: Any = None, mode: str = 'train') -> None:
        """Note what was read."""
        if mode == 'train' or not isinstance(outputs, Sequence):
            return
        self._pictures += len(outputs)
        for found, name in ((self._texts, 'pred_text'),
                            (self._labels, 'gt_text')):
            for sample in outputs:
                if len(found) == 2 or name not in sample:
                    break
                found.add(sample.get(name).get('item'))

    def after_val_epoch(self, runner: Runner,
                        metrics: Optional[Dict[str, float]] = None) -> None:
        """Look at the metrics of a validation."""
        self._look(runner, metrics, dict(
            validation=runner.val_dataloader,
            training=runner.train_dataloader))

    def after_test_epoch(self, runner: Runner,
                         metrics: Optional[Dict[str, float]] = None) -> None:
        """Look at the metrics of a test."""
        self._look(runner, metrics, dict(test=runner.test_dataloader))

    def _look(self, runner: Runner, metrics: Optional[Dict[str, float]],
              loaders: Dict[str, Any]) -> None:
        """Report causes, if no word was right; loaders by their use."""
        right = [value for name, value in (metrics or {}).items()
                 if 'word_acc' in name]
        model = bare_model(runner.model)
        if (not right or any(right) or not is_main_process()
                or spelling_of(getattr(model, 'decoder', None)) is None):
            return
        if self._about_labels is None:  # which stay as they are
            self._about_labels = list(check_labels(model, loaders))
        findings = [
            *self._about_labels,
            *check_readings(self._texts, self._labels, self._pictures)]
        if 'training' in loaders:
            findings += [*check_rate(runner), *check_loss(runner),
                         *check_trained(runner)]
        findings += check_encoder(model, self._loaded)
        causes = [one for one in findings if isinstance(one, Cause)]
        causes = causes or [self._too_early(runner, 'training' in loaders)]
        names = [cause.name for cause in causes]
        if names == self._reported:
            return
        self._reported = names
        fine = [one for one in findings if isinstance(one, str)]
        runner.logger.warning(
            f'No word of {self._pictures:,} was read right. Likely why:'
            + ''.join(f'\n  {number}. {cause.name}: {cause.evidence}\n     '
                      f'Fix: {cause.fix}'
                      for number, cause in enumerate(causes, 1))
            + ''.join(f'\n  In order: {one}' for one in fine))

    def _too_early(self, runner: Runner, training: bool) -> Cause:
        """What is left where nothing is wrong."""
        if not training:
            done = self._meta.get('iter')
            return Cause(
                'Too early',
                f'the checkpoint was saved after {done or "unknown"} '
                'iterations, and nothing wrong was found',
                'take a later checkpoint, or look at the misread words')
        counts = runner.optim_wrapper._accumulative_counts
        return Cause(
            'Too early',
            f'{runner.iter // counts:,} updates so far, of '
            f'{runner.max_iters // counts:,}, and nothing wrong was found',
            'wait: a short run reads its first words after about a fifth of '
            'its updates')


def check_labels(model: Any, loaders: Dict[str, Any]) -> Iterator[Finding]:
    """Whether the recognizer can write the labels of dataloaders."""
    spelling = spelling_of(model.decoder)
    assert spelling is not None
    for use, loader in loaders.items():
        report = LabelReport(spelling, f'{use} labels')
        for dataset in innermost(loader.dataset):
            for label in iter_labels(dataset):
                report.add(label)
        least = max(1, SHARE * report.total)
        if report.unknown.count >= least:
            yield Cause(
                f'{use.capitalize()} labels outside the dictionary',
                str(report.unknown_message(None, None)),
                'set model.decoder.dictionary.dict_file to a dictionary that '
                'has them: `lmim data dictionary` makes one; or '
                'model.decoder.module_loss.letter_case, where only the case '
                'differs')
        if report.long.count + report.empty.count >= least:
            yield Cause(
                f'{use.capitalize()} labels too long, or empty',
                str(report.length_message()),
                'raise model.decoder.max_seq_len, or correct the labels: '
                '`lmim data check` lists them')
        if report.bad < least:
            yield (f'{report.total - report.bad:,} of {report.total:,} {use} '
                   'labels can be written')


def check_readings(texts: Set[str], labels: Set[str],
                   pictures: int) -> Iterator[Finding]:
    """Whether pictures of different words give different texts."""
    if len(texts) > 1:
        yield 'pictures give different texts'
    elif len(labels) > 1:
        yield Cause(
            'Constant prediction',
            f'all {pictures:,} pictures give {min(texts, default="")!r}',
            'normal at the start (CTC writes nothing first); if it lasts, '
            'halve optim_wrapper.optimizer.lr, see that pictures belong to '
            'their labels (`lmim visualize browse`), and load a pre-trained '
            'encoder')


def check_rate(runner: Runner) -> Iterator[Finding]:
    """Whether the weights are changed at all."""
    peak = peak_rate(runner)
    if peak > 0:
        yield f'the learning rate is {peak:g} at its peak'
    else:
        yield Cause('A learning rate of 0',
                    'optim_wrapper.optimizer.lr is 0: no weight changes',
                    'set optim_wrapper.optimizer.lr to that of the config')


def check_loss(runner: Runner) -> Iterator[Finding]:
    """Whether the loss, which MMEngine keeps, has fallen or risen."""
    kept = runner.message_hub.log_scalars.get('train/loss')
    losses = np.asarray([] if kept is None else kept.data[0])
    if len(losses) < 2:
        return
    count = min(LOSSES, len(losses) // 2)
    first, last = losses[:count].mean(), losses[-count:].mean()
    told = f'the loss went from {first:.4g} to {last:.4g}'
    if math.isfinite(last) and last <= RISE * first:
        yield f'{told} (means of {count})'
        return
    rate = peak_rate(runner)
    yield Cause(
        'A learning rate that is too high',
        f'{told} (means of {count}) at a rate of {rate:g} at its peak',
        f'--cfg-options optim_wrapper.optimizer.lr={rate / 10:g} '
        'optim_wrapper.clip_grad.max_norm=5')


def check_encoder(model: nn.Module,
                  loaded: Optional[LoadReport]) -> Iterator[Finding]:
    """Whether the ViT was loaded, by its config or with the recognizer."""
    found = _find_encoder(model)
    if found is None:
        return
    name, encoder = found
    setting = f'model.{name}.init_cfg'
    own: Optional[LoadReport] = getattr(encoder, 'load_report', None)
    lacks = [] if loaded is None else [
        weight for weight in (*loaded.missing, *loaded.mismatched)
        if weight.startswith(f'{name}.')]
    fix = f'{setting}=dict(type="Pretrained", checkpoint=FILE), all of it'
    if loaded is not None and not lacks:
        yield f'the encoder was loaded with {loaded.source}'
    elif own is not None and own.is_full:
        yield f'the encoder was loaded: {own}'
    elif own is not None or loaded is not None:
        yield Cause(
            'An encoder of which only a part was loaded',
            f'{own}{own.details()}' if own is not None else
            f'{loaded} lacks {some(lacks, 8)}', fix)
    else:
        yield Cause(
            'An encoder that was not loaded',
            f'it began with random weights: {setting} names no checkpoint, '
            'and load_from is not set',
            f'{fix}; from scratch it takes many times as many updates')


def check_trained(runner: Runner) -> Iterator[Finding]:
    """Whether the optimizer changes the weights of the ViT, if of any."""
    found = _find_encoder(bare_model(runner.model))
    if found is None or peak_rate(runner) <= 0:
        return
    name, encoder = found
    moved = {id(param) for group in runner.optim_wrapper.optimizer.param_groups
             if group.get('initial_lr', group['lr']) > 0
             for param in group['params'] if param.requires_grad}
    weights = list(encoder.parameters())
    count = sum(id(param) in moved for param in weights)
    told = f'{count} of {len(weights)} tensors of model.{name} are trained'
    if count:
        yield told
    else:
        yield Cause(
            'A frozen encoder', told,
            f'lower model.{name}.frozen_stages, or give its parameters a '
            'rate: lr_mult in optim_wrapper.paramwise_cfg')


def _find_encoder(model: nn.Module) -> Optional[Tuple[str, TextViT]]:
    """The ViT of a recognizer and its name, if it has one."""
    return next(((name, module) for name, module in model.named_modules()
                 if isinstance(module, TextViT)), None)
