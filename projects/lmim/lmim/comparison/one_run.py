"""Train what a folder's config says, evaluate it, and write what came out.

``python -m lmim.comparison.one_run FOLDER``; the same as ``tools/train.py
FOLDER/config.py --resume`` and ``tools/test.py`` after it.
"""
import sys
from pathlib import Path
from typing import Any, Dict

from mmengine.config import Config

from lmim.engine import launch
from lmim.engine.hooks.checkpoint_hook import find_resumable
from lmim.engine.hooks.data_check_hook import check_data
from lmim.evaluation.probes import probe_encoder, read_words
from lmim.utils.atomic import write_atomic
from lmim.utils.json_text import to_json
from lmim.utils.machine import processor_name

#: Labelled words that a pre-trained encoder is probed with, at most.
PROBE_WORDS = 1000
#: The metric of a set.
WAICS = 'recog/word_acc_ignore_case_symbol'


def main(folder: Path) -> None:
    """Run, or resume, what the folder's ``config.py`` says.

    It gets ``result.json``: the accuracies in per cent by set, their sizes,
    and the processor.
    """
    cfg = _read(folder)
    checkpoint = find_resumable(folder)
    cfg.resume, cfg.load_from = checkpoint is not None, checkpoint
    launch.set_precision(cfg, cfg.precision)
    check_data(cfg, ('train_dataloader', 'test_dataloader'))
    runner = launch.train(cfg)
    result: Dict[str, Any] = dict(
        precision=cfg.optim_wrapper.type, processor=processor_name())
    if cfg.get('test_dataloader'):
        result['sets'] = _test(folder)
    else:
        encoder = runner.model.backbone.eval()
        words = read_words(cfg.probe_words, PROBE_WORDS, encoder.img_size)
        result['probes'] = {name: round(value, 4) for name, value
                            in probe_encoder(encoder, words).items()}
    write_atomic(folder / 'result.json', to_json(result).encode())


def _test(folder: Path) -> Dict[str, Dict[str, float]]:
    """Evaluate what was trained: sizes and accuracies by set."""
    cfg = _read(folder)
    cfg.resume, cfg.load_from = False, find_resumable(folder)
    launch.set_test_precision(cfg, cfg.precision)
    runner = launch.build_runner(cfg)
    metrics = runner.test()
    sets = runner.test_dataloader.dataset.datasets
    return {
        name: dict(words=len(part), waics=round(
            100 * metrics[f'{name}/{WAICS}'], 3))
        for name, part in zip(cfg.test_evaluator.dataset_prefixes, sets)}


def _read(folder: Path) -> Config:
    """The config of a run.

    Without its file name, under which the runner would write it anew, with
    what is set afterwards.
    """
    cfg = Config(Config.fromfile(
        folder / 'config.py', format_python_code=False).to_dict())
    cfg.launcher = 'none'
    return cfg


if __name__ == '__main__':
    launch.leave(launch.run_cleanly(lambda: main(Path(sys.argv[1]))))
