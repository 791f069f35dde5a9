"""What is compared: read from a config, refused where it makes no sense."""
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Union

from lmim.datasets.known_sets import read_config
from lmim.datasets.records import Spec
from lmim.utils.errors import UserError

Paths = Union[Spec, Sequence[Spec]]


class Method(NamedTuple):
    """A way to get an encoder.

    Attributes:
        name (str): Its heading in the tables.
        config (Path, optional): Of its pre-training; None for an encoder
            that is not trained before.
        options (Dict[str, Any]): Settings of the config that are changed, by
            dotted name.
        passes (float): How often the encoder that is trained sees a picture
            of the batch in one update: 1 for MAE, 2 for two views, one more
            for each further mask. For methods of encoders that differ in
            their work, how long an update takes, measured, relative to the
            others: the budget is then one of time.
        teacher (str, optional): The method whose encoder is the target. Its
            passes are taken from the budget.
        share (float): The part of the budget that it may use; a teacher has
            less than 1.
        warm_start (bool): Whether training begins with the teacher's
            weights.
        own_data (bool): Whether its config says what it pre-trains on, as
            where it needs words that are drawn, in place of the comparison's
            pictures.
        encoder (Dict[str, Any]): Settings of the recognizer's encoder that
            are changed, such as its type, wherever it is in the backbone.
        recognizer (Dict[str, Any]): Settings of the fine-tuning that are
            changed, such as the encoder's patches.
        recognizer_passes (float): What the updates of a fine-tuning are
            divided by, as ``passes`` divides those of pre-training.
    """
    name: str
    config: Optional[Path] = None
    options: Dict[str, Any] = {}
    passes: float = 1.
    teacher: Optional[str] = None
    share: float = 1.
    warm_start: bool = False
    own_data: bool = False
    encoder: Dict[str, Any] = {}
    recognizer: Dict[str, Any] = {}
    recognizer_passes: float = 1.


class LabelCount(NamedTuple):
    """A number of labelled words, and the updates of a fine-tuning on them.

    Attributes:
        words (int, optional): How many, drawn by a fixed seed; None for all.
        batches (int): Number of updates.
    """
    words: Optional[int]
    batches: int

    @property
    def name(self) -> str:
        """str: The number, or 'all'."""
        return 'all' if self.words is None else str(self.words)

    @property
    def rank(self) -> float:
        """float: The number, infinite for all."""
        return float('inf') if self.words is None else self.words


class Protocol(NamedTuple):
    """Everything that decides on the figures of a comparison.

    Attributes:
        methods (Dict[str, Method]): What is compared, teachers included.
        compared (List[str]): The methods that are fine-tuned.
        labels (List[LabelCount]): Numbers of labelled words.
        seeds (List[int]): Of pre-training and fine-tuning.
        unlabelled (Paths): Pictures to pre-train on.
        labelled (Paths): Pictures with labels, for fine-tuning.
        tests (Dict[str, Any]): Test sets by name: a place, or a dict with
            ``path`` and ``words``, a pattern that a label must match whole.
            Without any, held-out words are the test.
        held_out (float): Part of the labelled words, drawn by word, that is
            not trained on; decisions rest on it.
        views (int): Budget of pre-training: pictures that pass through the
            encoder.
        batch_size (int): Of pre-training.
        options (Dict[str, Any]): Settings of all pre-trainings.
        recognizer (Path): Config of the fine-tuning.
        recognizer_batch_size (int): Of fine-tuning.
        recognizer_options (Dict[str, Any]): Its settings.
        precision (str): As ``--precision`` of the tools.
    """
    methods: Dict[str, Method]
    compared: List[str]
    labels: List[LabelCount]
    seeds: List[int]
    unlabelled: Paths
    labelled: Paths
    tests: Dict[str, Any]
    held_out: float
    views: int
    batch_size: int
    options: Dict[str, Any]
    recognizer: Path
    recognizer_batch_size: int
    recognizer_options: Dict[str, Any]
    precision: str = 'auto'

    def pretrained(self) -> List[str]:
        """The methods to pre-train: those compared, and their teachers."""
        wanted: Dict[str, None] = {}
        for name in self.compared:
            method = self.methods[name]
            if method.teacher:
                wanted[method.teacher] = None
            if method.config:
                wanted[name] = None
        return list(wanted)

    def label_count(self, name: str) -> LabelCount:
        """A number of labels by name, with the updates that it gets.

        Raises:
            UserError: If it is neither a number nor ``'all'``.
        """
        if name != 'all' and not (name.isdecimal() and int(name) > 1):
            raise UserError(f'A number of labels is 2 or more, or all; not '
                            f'{name!r}')
        words = None if name == 'all' else int(name)
        known = sorted(self.labels, key=lambda count: count.rank)
        wanted = LabelCount(words, 0)
        larger = [count for count in known if count.rank >= wanted.rank]
        return wanted._replace(batches=(larger or known[-1:])[0].batches)

    def updates(self, name: str) -> int:
        """Number of updates of a pre-training, within the budget."""
        method = self.methods[name]
        share = method.share
        if method.teacher:
            share -= self.methods[method.teacher].share
        return max(2, round(self.views * share / method.passes
                            / self.batch_size))

    def batches(self, name: str, count: LabelCount) -> int:
        """Number of updates of a fine-tuning on so many labels."""
        return max(2, round(count.batches
                            / self.methods[name].recognizer_passes))


def read_protocol(path: str, changes: Dict[str, Any]) -> Protocol:
    """Read the protocol of a comparison.

    Args:
        path (str): A config; see ``configs/comparison/``. Its configs are
            relative to it.
        changes (Dict[str, Any]): Settings that replace those of the config.

    Raises:
        UserError: If something is missing, unknown or contradicts itself.
    """
    cfg = read_config(path)
    cfg.merge_from_dict(changes)
    folder = Path(path).resolve().parent
    try:
        methods = {name: _method(name, dict(about), folder)
                   for name, about in cfg.methods.items()}
        protocol = Protocol(
            methods=methods,
            compared=list(cfg.get('compared') or methods),
            labels=[LabelCount(None if count.words == 'all' else
                               int(count.words), count.batches)
                    for count in cfg.labels],
            seeds=list(cfg.seeds),
            unlabelled=cfg.unlabelled,
            labelled=cfg.labelled,
            tests=dict(cfg.get('tests') or {}),
            held_out=cfg.get('held_out', 0.1),
            views=cfg.pretraining.views,
            batch_size=cfg.pretraining.batch_size,
            options=dict(cfg.pretraining.get('options') or {}),
            recognizer=(folder / cfg.finetuning.config).resolve(),
            recognizer_batch_size=cfg.finetuning.batch_size,
            recognizer_options=dict(cfg.finetuning.get('options') or {}),
            precision=cfg.get('precision', 'auto'))
    except (AttributeError, KeyError) as error:
        raise UserError(
            f'{path} is no comparison: {error}. It has methods, labels, '
            'seeds, unlabelled, labelled, pretraining (views, batch_size) '
            'and finetuning (config, batch_size); see configs/comparison/'
        ) from error
    _check(protocol)
    return protocol


def _method(name: str, about: Dict[str, Any], folder: Path) -> Method:
    unknown = set(about) - set(Method._fields) | {'name'} & set(about)
    if unknown:
        raise UserError(f'methods[{name!r}] has no setting '
                        f'{", ".join(sorted(unknown))}; it has '
                        f'{", ".join(Method._fields[1:])}')
    if about.get('config'):
        about['config'] = (folder / about['config']).resolve()
    return Method(name, **about)


def _check(protocol: Protocol) -> None:
    for name in protocol.compared:
        if name not in protocol.methods:
            raise UserError(f'There is no method {name!r}: there are '
                            f'{", ".join(protocol.methods)}')
    for method in protocol.methods.values():
        if method.warm_start and not method.teacher:
            raise UserError(f'{method.name!r} has no teacher to start from')
        teacher = method.teacher and protocol.methods.get(method.teacher)
        if method.teacher and not (teacher and teacher.config):
            raise UserError(f'The teacher of {method.name!r} is '
                            f'{method.teacher!r}, which is no method that is '
                            'pre-trained')
        if teacher and teacher.share >= method.share:
            raise UserError(
                f'{method.name!r} has {method.share:g} of the budget and its '
                f'teacher {teacher.name!r} {teacher.share:g}: nothing is '
                'left. Give the teacher a smaller share')
    if not 0 <= protocol.held_out < 1:
        raise UserError(f'held_out is a part of the words, from 0 to below 1,'
                        f' not {protocol.held_out}')
    if not protocol.held_out and not protocol.tests:
        raise UserError('Without tests words must be held out: set held_out')

