"""A recognizer trained on with words of one's own, and what that changed."""
import json
import math
import shutil
from pathlib import Path
from typing import (Any, Dict, Iterable, List, NamedTuple, Optional,
                    Sequence)

from mmengine.config import Config
from rapidfuzz.distance import Levenshtein

from lmim.apis import TextRecognizer
from lmim.apis.preprocessing import find_pipeline, kind_of_step, loads
from lmim.checkpoints import Checkpoint, write_checkpoint
from lmim.checkpoints.config_text import dicts_in
from lmim.checkpoints.dictionaries import dictionaries_of, write_dict_file
from lmim.comparison.data import copy_records, held_out_words
from lmim.datasets.labels.reading import iter_labels
from lmim.datasets.records import RecordSource, open_sources
from lmim.datasets.rendered_text_dataset import (RenderedRecords,
                                                 make_rendered_sets)
from lmim.datasets.splitting import word_key
from lmim.engine import launch
from lmim.engine.hooks.checkpoint_hook import find_resumable
from lmim.models.textrecog import InContextRecognizer
from lmim.utils.atomic import write_atomic
from lmim.utils.errors import UserError

#: In the folder of a run: what was asked for.
SETTINGS = 'settings.json'
#: The part of one's own words that is not trained on, drawn by word.
HELD_OUT = 0.1
#: A run is cut into so many epochs; the first is the warm-up.
EPOCHS = 10
#: Words that are rendered for each epoch at most, and for the evaluation.
RENDERED, TESTED = 20000, 300
#: Light, as few real words are soon known by heart and must stay legible.
AUGMENTATION = [
    dict(type='RandomApply', prob=0.5, transforms=[
        dict(type='RandomChoice', transforms=[
            dict(type='RandomRotate', max_angle=8),
            dict(type='TorchVisionWrapper', op='RandomPerspective',
                 distortion_scale=0.3, p=1)])]),
    dict(type='RandomApply', prob=0.5, transforms=[
        dict(type='TorchVisionWrapper', op='ColorJitter', brightness=0.4,
             saturation=0.4, contrast=0.4, hue=0.1)]),
]


class Settings(NamedTuple):
    """What a fine-tuning is asked for.

    Attributes:
        words (Sequence[str]): Sets of one's own pictures with labels.
        checkpoint (Path, optional): Of the recognizer that it starts from;
            None is the reader that comes with lmim.
        out (Path): Where everything is written.
        keep (float): The share of rendered words in what is trained on, from
            0 to below 1.
        listed (str, optional): A text file or a labelled set, whose words
            are rendered. Defaults to made-up words of all characters.
        updates (int): Number of updates.
        batch_size (int): Pictures of an update.
        rate (float): The learning rate at its peak.
        seed (int): Of everything that is drawn.
    """
    words: Sequence[str]
    checkpoint: Optional[Path]
    out: Path
    keep: float = 0.5
    listed: Optional[str] = None
    updates: int = 600
    batch_size: int = 64
    rate: float = 2e-4
    seed: int = 0


def finetune(settings: Settings, device: Optional[str] = None
             ) -> Dict[str, Any]:
    """Train a recognizer on, and measure it before and after.

    The run is an ordinary one, with its config in ``out``; begun again, it is
    resumed.

    Args:
        settings (Settings): What is asked for.
        device (str, optional): Where words are read before and after.

    Returns:
        Dict[str, Any]: ``checkpoint``, numbers of words, and ``before`` and
        ``after`` as of :func:`measure` for ``own`` held-out words and
        ``rendered`` ones, whose ``lacking`` characters are those that the
        words of one's own do not have.

    Raises:
        UserError: If a setting makes no sense, there are too few words, or
            ``out`` holds another run.
    """
    if not 0 <= settings.keep < 1:
        raise UserError('--keep is the share of rendered words, from 0 to '
                        f'below 1, not {settings.keep:g}')
    reader = TextRecognizer(settings.checkpoint, device=device)
    if not check_settings(settings):
        # Of a run that was refused, or cut short, before it began.
        shutil.rmtree(settings.out / 'data', ignore_errors=True)
    own = split(settings.words, settings.out / 'data')
    train = [label.text or '' for label in iter_labels(own['train'])]
    cfg = make_config(settings, reader, own['train'].path)
    tests: Dict[str, RecordSource] = dict(
        own=own['held-out'], rendered=RenderedRecords(make_rendered_sets(
            {'test': TESTED}, **_rendering(settings, reader)).parts['test']))
    keep_settings(settings)
    launch.save_config(cfg, settings.out, '--out')
    lacking = set(reader.characters).difference(*train)
    result: Dict[str, Any] = dict(
        words=len(train), held_out=len(tests['own']),
        lacking=''.join(sorted(lacking)),
        before={name: measure(reader, source, lacking)
                for name, source in tests.items()})
    start = settings.out / 'start.pth'
    if not start.exists():
        # As the recognizer holds it, whatever kind of file it came from.
        write_checkpoint(Checkpoint(
            str(start), reader.model.state_dict(), {}, wraps='state_dict'),
            start)
    checkpoint = find_resumable(settings.out)
    # Without its file name, under which the runner would write it anew.
    run = Config(cfg.to_dict(), format_python_code=False)
    run.resume, run.load_from = checkpoint is not None, checkpoint or str(
        start)
    launch.train(run)
    result['checkpoint'] = find_resumable(settings.out)
    reader = TextRecognizer(result['checkpoint'], device=device)
    result['after'] = {name: measure(reader, source, lacking)
                       for name, source in tests.items()}
    return result


def check_settings(settings: Settings) -> bool:
    """Compare what is asked for with what is kept in ``out``, if anything.

    A run that is begun again with other words would go on with the former
    ones.

    Returns:
        bool: Whether the same run is there, begun or done.

    Raises:
        UserError: If another run is there.
    """
    path = settings.out / SETTINGS
    if not path.is_file():
        return False
    held = json.loads(path.read_text(encoding='utf-8'))
    other = [name for name, value in _asked(settings).items()
             if held.get(name) != value]
    if other:
        raise UserError(
            f'{path} is there, of a run with other settings '
            f'({", ".join(other)}). Name another --out, or remove that folder')
    return True


def keep_settings(settings: Settings) -> None:
    """Write what is asked for into ``out``, once it can be done."""
    write_atomic(settings.out / SETTINGS, (
        json.dumps(_asked(settings), indent=2) + '\n').encode())


def _asked(settings: Settings) -> Dict[str, Any]:
    """Settings as JSON has them."""
    asked: Dict[str, Any] = json.loads(
        json.dumps(settings._asdict(), default=str))
    return asked


def split(paths: Sequence[str], folder: Path) -> Dict[str, RecordSource]:
    """Copy words into LMDBs in a folder: ``train`` and ``held-out``.

    Equal words are of the same part. What is unreadable is left out, and
    named beside the LMDB.
    """
    source = open_sources(list(paths))
    texts = {word_key(label.text) for label in iter_labels(source)
             if label.text}
    if len(texts) < 2:
        raise UserError(
            f'{source.path} has {len(texts)} different words with labels, and '
            'two are needed, to train on and to measure. A list has '
            'path<TAB>label on each line')
    out = held_out_words(texts, HELD_OUT)
    copy_records(
        list(paths), folder / 'train.lmdb',
        lambda label: label.text and word_key(label.text) not in out)
    copy_records(
        list(paths), folder / 'held-out.lmdb',
        lambda label: label.text and word_key(label.text) in out)
    return {name: open_sources(str(folder / f'{name}.lmdb'))
            for name in ('train', 'held-out')}


def make_config(settings: Settings, reader: TextRecognizer,
                train: str) -> Config:
    """The config of the run: the recognizer's own model and pictures.

    Of what else the checkpoint's config says nothing is taken: it may come
    from anybody.
    """
    model = reader.cfg.model.to_dict()
    for part in dicts_in(model):
        part.pop('init_cfg', None)
    dictionary = settings.out / 'data' / 'dictionary.txt'
    if not dictionary.exists():
        write_dict_file(dictionary, reader.characters)
    for part in dictionaries_of(model):
        part['dict_file'] = str(dictionary)
    pipeline = [step for step in find_pipeline(reader.cfg.to_dict()) or []
                if not loads(step)]
    steps = [step for step in pipeline
             if kind_of_step(step) != 'PackTextRecogInputs']
    pack = dict(type='PackTextRecogInputs', meta_keys=(
        'img_path', 'ori_shape', 'img_shape', 'valid_ratio', 'sample_idx'))
    sets: List[Dict[str, Any]] = [
        dict(type='TextImageDataset', paths=train, with_text=True)]
    ratios = [1 - settings.keep]
    if settings.keep:
        sets.append(dict(
            type='RenderedTextDataset', with_text=True, length=RENDERED,
            **_rendering(settings, reader)))
        ratios.append(settings.keep)
    per_epoch = max(2, math.ceil(settings.updates / EPOCHS))
    views: List[Dict[str, Any]] = [*steps, *AUGMENTATION, pack]
    batch_size = settings.batch_size
    if isinstance(reader.model, InContextRecognizer):
        # A sequence for each word.
        prompts = reader.model.num_prompts
        views = [dict(type='InContextViews', num_prompts=prompts,
                      transforms=views)]
        batch_size = max(1, batch_size // (prompts + 1))
    return Config(dict(
        default_scope='mmocr',
        custom_imports=dict(imports=['lmim'], allow_failed_imports=False),
        launcher='none',
        work_dir=str(settings.out),
        randomness=dict(seed=settings.seed),
        env_cfg=dict(cudnn_benchmark=False, mp_cfg=dict(
            mp_start_method='fork', opencv_num_threads=0)),
        model=model,
        # By which words are read with what it makes.
        test_pipeline=[*steps, pack],
        train_dataloader=dict(
            batch_size=batch_size, num_workers=1,
            persistent_workers=True, drop_last=True,
            collate_fn=dict(type='collate_views'),
            sampler=dict(type='RatioSampler', ratios=ratios,
                         epoch_length=per_epoch * batch_size),
            dataset=dict(
                type='ConcatDataset', datasets=sets, pipeline=[
                    dict(type='SetSampleSeed'),
                    dict(type='LoadOCRAnnotations', with_text=True),
                    *views])),
        optim_wrapper=dict(
            type='OptimWrapper', constructor='GroupedOptimWrapperConstructor',
            optimizer=dict(type='AdamW', lr=settings.rate,
                           betas=(0.9, 0.999), weight_decay=0.05),
            paramwise_cfg=dict(flat_decay_mult=0.),
            clip_grad=dict(max_norm=5.)),
        param_scheduler=[
            dict(type='LinearLR', start_factor=1e-4, by_epoch=True, begin=0,
                 end=1, convert_to_iter_based=True),
            dict(type='CosineAnnealingLR', eta_min=0., by_epoch=True, begin=1,
                 convert_to_iter_based=True)],
        train_cfg=dict(type='ResumableEpochLoop', max_epochs=EPOCHS),
        default_hooks=dict(
            logger=dict(type='LoggerHook', interval=20),
            checkpoint=dict(type='SafeCheckpointHook', interval=1,
                            max_keep_ckpts=1),
            cpu_kernels=dict(type='CPUKernelsHook'),
            step_seed=dict(type='StepSeedHook'),
            label_check=dict(type='LabelCheckHook'),
            loss_check=dict(type='LossCheckHook'),
            checkpoint_guard=dict(type='CheckpointGuardHook'),
            train_info=dict(type='TrainInfoHook')),
        visualizer=dict(type='TextRecogLocalVisualizer', name='visualizer',
                        vis_backends=[dict(type='LocalVisBackend')])),
        format_python_code=False)


def measure(reader: TextRecognizer, source: RecordSource,
            lacking: Iterable[str]) -> Dict[str, Any]:
    """Read a set with labels, and count ``lacking`` characters on their own.

    Returns:
        Dict[str, Any]: ``words``; ``accuracy``, the share that is read to the
        letter; ``characters``, how many of the labels' characters are
        lacking ones; and ``read``, the share of these that was read, None
        where there are none.
    """
    wanted = set(lacking)
    right = count = found = 0
    for number, word in enumerate(reader(source)):
        label = source.label(number) or ''
        right += word.text == label
        count += sum(char in wanted for char in label)
        found += sum(
            char in wanted
            for code in Levenshtein.opcodes(label, word.text)
            if code.tag == 'equal'
            for char in label[code.src_start:code.src_end])
    return dict(
        words=len(source), accuracy=right / len(source), characters=count,
        read=found / count if count else None)


def _rendering(settings: Settings, reader: TextRecognizer) -> Dict[str, Any]:
    """What is rendered: words of a list, or made-up ones."""
    common: Dict[str, Any] = dict(seed=settings.seed, style='varied')
    if settings.listed is not None:
        return dict(common, words=settings.listed)
    alphabet = ''.join(char for char in reader.characters if len(char) == 1
                       and char.isprintable() and not char.isspace())
    return dict(common, alphabet=alphabet, lengths=(1, 10))
