"""What the quick start does, as the commands that a user would type."""
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional

from datasets import Sets
from settings import Settings

ROOT = Path(__file__).resolve().parents[2]
TRAIN = ROOT / 'tools/train.py'
TEST = ROOT / 'tools/test.py'
MAE = ROOT / 'configs/pretrain/mae/mae_vit-mini_1xb64_rendered.py'
LMIM = ROOT / 'configs/pretrain/lmim/lmim_vit-mini_1xb64_rendered.py'
RECOGNIZER = ROOT / 'configs/textrecog/lmim/lmim_vit-mini_1xb64_rendered.py'


class Stage(NamedTuple):
    """One step of the quick start.

    Attributes:
        name (str): As in ``--stages``.
        title (str): What it does, for people.
        command (List[str]): What is run.
        work_dir (Path): Where its outputs lie.
        seconds (float): How long it takes on two cores, about.
        images (int): How many images pass through it, 0 if unknown.
    """
    name: str
    title: str
    command: List[str]
    work_dir: Path
    seconds: float
    images: int


def last_checkpoint(work_dir: Path) -> Optional[Path]:
    """The checkpoint that a run ended with, wherever it was moved to."""
    pointer = work_dir / 'last_checkpoint'
    if not pointer.is_file():
        return None
    return work_dir / Path(pointer.read_text().strip()).name


def stage(name: str, settings: Settings, sets: Sets) -> Stage:
    """Compose a stage.

    Args:
        name (str): One of :data:`settings.STAGES`, but not 'data' or
            'report'.
        settings (Settings): What was asked for.
        sets (Sets): The data.
    """
    work = settings.work_dir
    if name == 'mae':
        return _train(name, 'MAE teacher', MAE, settings, sets.pretrain,
                      settings.pretrain_iters, 55, {})
    if name == 'lmim':
        teacher = last_checkpoint(work / 'mae')
        return _train(
            name, 'LMIM pre-training', LMIM, settings, sets.pretrain,
            settings.pretrain_iters, 110,
            {'model.target_generator.checkpoint': str(teacher)})
    if name == 'finetune':
        encoder = last_checkpoint(work / 'lmim')
        return _train(
            name, 'recognizer from LMIM', RECOGNIZER, settings, sets.train,
            settings.finetune_iters, 140, {
                'model.backbone.init_cfg.checkpoint': str(encoder)
            })
    if name == 'scratch':
        return _train(name, 'recognizer from scratch', RECOGNIZER, settings,
                      sets.train, settings.finetune_iters, 140,
                      {'model.backbone.init_cfg': 'None'})
    assert name.startswith('evaluate-'), name
    trained = name[len('evaluate-'):]
    command = [
        sys.executable, str(TEST), str(RECOGNIZER),
        str(last_checkpoint(work / trained)), '--work-dir', str(work / name),
        '--cfg-options', 'model.backbone.init_cfg=None',
        *_dataset('test', sets.test), *_loading('test')
    ]
    title = 'evaluation, ' + {'finetune': 'from LMIM',
                              'scratch': 'from scratch'}[trained]
    return Stage(name, title, command, work / name, 12, sets.num_test)


def _train(name: str, title: str, config: Path, settings: Settings,
           data: Path, iters: int, seconds: float,
           options: Dict[str, str]) -> Stage:
    """A training run of a number of iterations, whatever the set's size."""
    from datasets import num_records
    samples = num_records(data)
    batch = min(64, samples)
    epochs = max(2, round(iters / (samples // batch)))
    options = {
        'train_dataloader.batch_size': str(batch),
        'train_cfg.max_epochs': str(epochs),
        'randomness.seed': str(settings.seed),
        **options
    }
    command = [
        sys.executable, str(TRAIN), str(config), '--work-dir',
        str(settings.work_dir / name), '--resume', '--amp', '--cfg-options',
        *(f'{key}={value}' for key, value in options.items()),
        *_dataset('train', data), *_loading('train')
    ]
    return Stage(name, title, command, settings.work_dir / name, seconds,
                 epochs * (samples // batch) * batch)
