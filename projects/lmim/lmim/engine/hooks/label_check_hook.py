"""Labels are checked before training, all of them at once."""
import os.path as osp
import time
from typing import Any, List, Optional

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmocr.registry import HOOKS

from lmim.datasets.labels.report import SHOWN, LabelReport
from lmim.datasets.labels.reading import innermost, iter_labels
from lmim.datasets.labels.spelling import Spelling, spelling_of
from lmim.engine.fileio import write_atomic

#: Seconds between two lines of progress.
PATIENCE = 5.
#: In the work dir: all characters that are not in the dictionary.
LISTING = 'characters_outside_dictionary.txt'


@HOOKS.register_module()
class LabelCheckHook(Hook):
    """Refuse labels that the recognizer cannot write, before training.

    Without it a character that is not in the dictionary ends the run at the
    batch that has it, perhaps after hours, and the next one ends the next
    run. Labels that are longer than the decoder writes, or empty, are
    counted in a warning. Works for every recognizer of MMOCR with a
    ``decoder.dictionary``; of other models, as in pre-training, nothing is
    asked. No picture is read: a million labels take a few seconds.

    Args:
        enable (bool): Set it to False where the pipeline changes the labels.
            Defaults to True.

    Raises:
        ValueError: By :meth:`before_train`, on all processes, naming all
            characters that are not in the dictionary.
    """

    def __init__(self, enable: bool = True) -> None:
        self.enable = enable

    def before_train(self, runner: Runner) -> None:
        """Look at all labels of the training set.

        Args:
            runner (Runner): The runner of the training process.
        """
        model = runner.model
        if is_model_wrapper(model):
            model = model.module
        spelling = spelling_of(getattr(model, 'decoder', None))
        if not self.enable or spelling is None:
            return
        outcome: List[Optional[str]] = [None]
        if is_main_process():
            outcome = [self._check(runner, spelling)]
        # The others wait here, and end with it.
        broadcast_object_list(outcome)
        if outcome[0] is not None:
            raise ValueError(outcome[0])

    def _check(self, runner: Runner, spelling: Spelling) -> Optional[str]:
        """Log what is odd; what is wrong is the answer."""
        report = self._read(runner, spelling)
        cut = report.length_message()
        if cut:
            runner.logger.warning(cut)
        listing = osp.join(runner.work_dir, LISTING)
        lines = report.character_lines()
        if len(lines) > SHOWN:
            write_atomic(listing, ('\n'.join(lines) + '\n').encode('utf-8'))
        message = report.unknown_message(_dict_file(runner), listing)
        if message and spelling.maps_unknown:
            runner.logger.warning(message)
            return None
        return message

    @staticmethod
    def _read(runner: Runner, spelling: Spelling) -> LabelReport:
        """Read all labels, with a line of progress where it takes long."""
        report = LabelReport(spelling)
        datasets = innermost(runner.train_dataloader.dataset)
        total = sum(len(dataset) for dataset in datasets)
        said = time.monotonic()
        for dataset in datasets:
            for label in iter_labels(dataset):
                report.add(label)
                if report.total % 1000 == 0 and (time.monotonic() - said
                                                 > PATIENCE):
                    said = time.monotonic()
                    runner.logger.info(
                        f'Checking labels: {report.total:,} of {total:,} '
                        f'({report.total / total:.0%})')
        return report


def _dict_file(runner: Runner) -> Optional[str]:
    """The dictionary's file, where the config names it."""
    value: Any = runner.cfg
    for key in ('model', 'decoder', 'dictionary', 'dict_file'):
        value = value.get(key) if hasattr(value, 'get') else None
    return value
