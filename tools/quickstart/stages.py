"""The steps of the quick start, as the commands that a user would type."""
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

from pictures import Sets, count, longest_label
from settings import Settings

from lmim.datasets.records import Spec
from lmim.engine.hooks.checkpoint_hook import find_resumable

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / 'configs'
MAE = CONFIGS / 'pretrain/mae/mae_vit-mini_1xb64_rendered.py'
LMIM = CONFIGS / 'pretrain/lmim/lmim_vit-mini_1xb64_rendered.py'
RECOGNIZER = CONFIGS / ('textrecog/transformer/'
                        'transformer_vit-mini_1xb64_rendered-labels.py')


#: Pictures of a batch. On few words many small steps teach more than a few of
#: the configs' 64 in the same time: 38 % of 500 words were read after 1,000
#: steps of 16, 0.2 % after 248 of 64 (recognizer from scratch, 4,000 words).
BATCH = 16
#: Learning rates that suit such batches.
PRETRAIN_LR, FINETUNE_LR = 7.5e-4, 1e-3


class Stage(NamedTuple):
    """One step.

    Attributes:
        name (str): The name of its folder in the work dir.
        title (str): What it does.
        command (List[str]): What is run.
        images (int): How many pictures pass through it.
        epochs (int): How many epochs it trains, 0 where it does not.
    """
    name: str
    title: str
    command: List[str]
    images: int
    epochs: int = 0


def render(settings: Settings, plan: Dict[str, Any]) -> Stage:
    """Draw words: dark on light, of 3 to 5 letters."""
    train, test = plan['samples']
    command = [
        '-m', 'lmim', 'data', 'render', str(settings.work_dir / 'data'),
        '--train', str(train), '--test', str(test), '--seed',
        str(settings.seed), '--style', 'print', '--min-length', '3',
        '--max-length', '5'
    ]
    return Stage('data', 'rendering words', _python(command), train + test)


def mae(settings: Settings, sets: Sets, plan: Dict[str, Any]) -> Stage:
    """Train the teacher."""
    return _train(settings, plan, 'mae', 'MAE teacher', MAE, sets.pretrain,
                  plan['pretrain_iters'], _lr(PRETRAIN_LR))


def lmim(settings: Settings, sets: Sets, plan: Dict[str, Any]) -> Stage:
    """Pre-train; in the way that teaches a model of this size more."""
    loss = {} if settings.paper else {
        'model.branches': 'guidance',
        'model.target_generator.norm': 'instance'}
    teacher = _checkpoint(settings, 'mae')
    return _train(settings, plan, 'lmim', 'LMIM pre-training', LMIM,
                  sets.pretrain, plan['pretrain_iters'],
                  {'model.target_generator.checkpoint': teacher, **loss,
                   **_lr(PRETRAIN_LR)})


def finetune(settings: Settings, sets: Sets, plan: Dict[str, Any]) -> Stage:
    """Train the recognizer from LMIM."""
    encoder = _checkpoint(settings, 'lmim')
    return _train(settings, plan, 'finetune', 'recognizer from LMIM',
                  RECOGNIZER, str(sets.train), plan['finetune_iters'],
                  {'model.backbone.init_cfg.checkpoint': encoder,
                   **_recognizer(sets), **_lr(FINETUNE_LR)})


def scratch(settings: Settings, sets: Sets, plan: Dict[str, Any]) -> Stage:
    """Train the recognizer from scratch, with the same budget."""
    return _train(settings, plan, 'scratch', 'recognizer from scratch',
                  RECOGNIZER, str(sets.train), plan['finetune_iters'],
                  {'model.backbone.init_cfg': 'None', **_recognizer(sets),
                   **_lr(FINETUNE_LR)})


def evaluate(settings: Settings, sets: Sets, name: str) -> Stage:
    """Evaluate the recognizer of a stage."""
    folder = f'evaluate-{name}'
    command = [
        str(ROOT / 'tools/test.py'), str(RECOGNIZER),
        _checkpoint(settings, name), '--work-dir',
        str(settings.work_dir / folder), '--cfg-options',
        'model.backbone.init_cfg=None', _max_seq_len(sets),
        *data_options('test', str(sets.test))
    ]
    origin = 'from LMIM' if name == 'finetune' else 'from scratch'
    return Stage(folder, f'evaluation, {origin}', _python(command),
                 count(str(sets.test)))


def _train(settings: Settings, plan: Dict[str, Any], name: str, title: str,
           config: Path, data: Spec, iters: int,
           options: Dict[str, str]) -> Stage:
    """A run of a number of batches, whatever the size of the set is."""
    samples = count(data)
    # A warm-up of one epoch needs two batches at least.
    batch = max(1, min(BATCH, samples // 2))
    # A schedule with warm-up has two epochs at least.
    epochs = max(2, round(iters / (samples // batch)))
    options = {
        'randomness.seed': str(settings.seed),
        'train_dataloader.batch_size': str(batch),
        'train_cfg.max_epochs': str(epochs),
        # By batches, so that epochs of ten pictures do no harm.
        'default_hooks.checkpoint.by_epoch': 'False',
        'default_hooks.checkpoint.interval': '250',
        'default_hooks.checkpoint.max_keep_ckpts': '1',
        **options
    }
    command = [
        str(ROOT / 'tools/train.py'), str(config), '--work-dir',
        str(settings.work_dir / name), '--resume', '--precision',
        plan['precision'], '--cfg-options',
        *(f'{key}={value}' for key, value in options.items()),
        *data_options('train', data)
    ]
    images = epochs * (samples // batch) * batch
    return Stage(name, title, _python(command), images, epochs)


def _lr(rate: float) -> Dict[str, str]:
    """The option that sets a learning rate."""
    return {'optim_wrapper.optimizer.lr': str(rate)}


def _recognizer(sets: Sets) -> Dict[str, str]:
    """Options of a recognizer's training."""
    key, value = _max_seq_len(sets).split('=')
    # What is learnt is measured at the end, by the evaluation.
    return {key: value, 'val_cfg': 'None', 'val_dataloader': 'None',
            'val_evaluator': 'None'}


def _max_seq_len(sets: Sets) -> str:
    """Room for the longest word and its end."""
    return f'model.decoder.max_seq_len={max(8, longest_label(sets) + 1)}'


def data_options(part: str, spec: Spec) -> List[str]:
    """Settings that make a config read these pictures.

    Args:
        part (str): 'train' or 'test'.
        spec (Spec): The pictures.
    """
    prefix = f'{part}_dataloader.dataset'
    options = [f'{prefix}.data_root=']
    if isinstance(spec, dict):
        # Instead of the string that the config has there.
        return [*options, f'{prefix}.paths._delete_=True',
                *(f'{prefix}.paths.{key}={value}'
                  for key, value in spec.items())]
    return [*options, f'{prefix}.paths={spec}']


def _checkpoint(settings: Settings, name: str) -> str:
    """The checkpoint that a stage ended with.

    Raises:
        SystemExit: If there is none.
    """
    path = find_resumable(settings.work_dir / name)
    if path is None:
        sys.exit(f'There is no checkpoint in {settings.work_dir / name}: run '
                 f'stage {name} first (--stages {name}, or all of them).')
    return path


def _python(command: List[str]) -> List[str]:
    return [sys.executable, *command]
