"""What the quick start shows in the end."""
import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Dict, List, Tuple

from matplotlib.figure import Figure
from plan import stage_of
from settings import Settings

from lmim.comparison.data import Sets
from lmim.comparison.protocol import Protocol
from lmim.comparison.results import Results, markdown
from lmim.comparison.runs import finetuning_name, pretraining_name
from lmim.comparison.tasks import result_of
from lmim.datasets import TextImageDataset
from lmim.datasets.records import UnreadableRecordError
from lmim.engine.hooks.checkpoint_hook import find_resumable
from lmim.utils.atomic import write_atomic
from lmim.visualization import draw_view_sheet, save_picture

#: What the checkpoints that stages end with are called in the work dir.
CHECKPOINTS = {'mae': 'mae.pth', 'lmim': 'lmim.pth',
               'finetune': 'recognizer.pth',
               'scratch': 'recognizer_from_scratch.pth'}
PACKAGES = ('torch', 'torchvision', 'numpy', 'opencv-python', 'mmengine',
            'mmcv-lite', 'mmcv', 'mmdet', 'mmocr', 'mmpretrain')

TASK = """\
The task is made to be learnt in minutes on two cores: dark printed words of
3 to 5 letters, of which neither words nor fonts of the test were seen in
training, many without labels and few with. It is no benchmark; more minutes
read more words. docs/quickstart.md says where the gain of pre-training ends,
and docs/proving_ground.md has figures of real words."""


def report(settings: Settings, protocol: Protocol, sets: Sets,
           planned: Dict[str, Any]) -> None:
    """Write tables, pictures and checkpoints, and print where they are."""
    work = settings.work_dir
    count = protocol.labels[0]
    tuned = {name: finetuning_name(sets.stage, name, count, settings.seed)
             for name in protocol.compared}
    folders = {stage_of(name): name for name in [
        *(pretraining_name(name, settings.seed)
          for name in protocol.pretrained()), *tuned.values()]}
    results = Results(protocol, work, sets.stage)
    waics = {'lmim': settings.method, 'scratch': 'scratch'}
    summary: Dict[str, Any] = dict(
        stages={stage: result_of(work, name)
                for stage, name in folders.items()},
        plan=planned,
        test_set=', '.join(results.sets),
        samples=dict(
            pretrain=len(TextImageDataset(protocol.unlabelled)),
            train=len(TextImageDataset(str(sets.train[count.name]))),
            test=sum(results.sets.values())),
        waics={name: round(results.figures(method, count.name)[settings.seed],
                           2) for name, method in waics.items()},
        settings={key: str(value) if isinstance(value, Path) else value
                  for key, value in settings._asdict().items()},
        versions=dict(python=platform.python_version(), **_versions()))
    summary['seconds'] = round(sum(
        stage['seconds'] for stage in summary['stages'].values()), 1)
    write_atomic(work / 'summary.json',
                 json.dumps(summary, indent=2, ensure_ascii=False).encode())
    made = {
        'pictures': _draw(settings, protocol, folders),
        'table': [work / 'results.md'],
        'everything for machines': [work / 'summary.json'],
        'checkpoints': _publish(work, folders)
    }
    text = markdown([
        ['set', 'samples', 'WAICS from LMIM', 'WAICS from scratch'],
        [summary['test_set'], str(summary['samples']['test']),
         *(f'{value:.2f} %' for value in summary['waics'].values())]])
    write_atomic(work / 'results.md', (text + '\n').encode())
    print(f'\n{text}\n\nWAICS: word accuracy, ignoring case and symbols.')
    if settings.data is None:
        print(TASK)
    print('\nMade:')
    for what, paths in made.items():
        for path in paths:
            print(f'  {what}: {path}')
            what = ' ' * len(what)
    if settings.data is None:
        print('\nNext, your own pictures (a folder is enough):\n  bash '
              'tools/quickstart.sh --data /path/to/your/pictures '
              '--work-dir work_dirs/mine')
    else:
        print('\nNext, the teacher at full size on these pictures (and then '
              "as in README, 'Your own images'):\n  python tools/train.py "
              'configs/pretrain/mae/mae_vit-small_8xb128-20e_union14m-u.py '
              '--amp --auto-scale-lr --cfg-options ' + _paths(protocol))


def _paths(protocol: Protocol) -> str:
    """The option that names what was pre-trained on."""
    prefix = 'train_dataloader.dataset.paths'
    spec = protocol.unlabelled
    if isinstance(spec, dict):
        # Instead of the list that the config has there.
        return ' '.join([f'{prefix}._delete_=True', *(
            f'{prefix}.{key}={value}' for key, value in spec.items())])
    return f'{prefix}={spec}'


def _versions() -> Dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _publish(work_dir: Path, folders: Dict[str, str]) -> List[Path]:
    """Copy the last checkpoint of each stage to a name that does not change.

    Returns:
        List[Path]: The copies.
    """
    copies = []
    for stage, name in CHECKPOINTS.items():
        last = find_resumable(work_dir / folders[stage])
        if last is not None:
            write_atomic(work_dir / name, Path(last).read_bytes())
            copies.append(work_dir / name)
    return copies


def _draw(settings: Settings, protocol: Protocol,
          folders: Dict[str, str]) -> List[Path]:
    """Draw the views and the losses; returns the paths."""
    work = settings.work_dir
    views, curves = work / 'views.png', work / 'curves.png'
    save_picture(
        draw_view_sheet(_samples(protocol), patch_size=(32, 4),
                        seed=settings.seed), views)
    panels = {'MAE teacher': {'mae': 'mae'}, 'LMIM': {'lmim': 'lmim'},
              'recognizer': {'from LMIM': 'finetune',
                             'from scratch': 'scratch'}}
    figure = Figure(figsize=(4 * len(panels), 3), layout='constrained')
    for axis, (title, lines) in zip(figure.subplots(1, len(panels)),
                                    panels.items()):
        for label, stage in lines.items():
            axis.plot(*_losses(work / folders[stage]), label=label)
        axis.set(title=title, xlabel='batches', ylabel='loss')
        axis.grid(alpha=0.3)
        axis.legend()
    save_picture(figure, curves)
    return [views, curves]


def _losses(work_dir: Path) -> Tuple[List[int], List[float]]:
    """Iterations and losses that MMEngine logged, of a resumed run too."""
    found: Dict[int, float] = {}
    for path in sorted(work_dir.glob('*/vis_data/scalars.json')):
        for line in path.read_text(encoding='utf-8').splitlines():
            if not line.endswith('}'):
                continue  # the last line of a run that was killed
            entry = json.loads(line)
            if 'loss' in entry:
                found[entry['iter']] = entry['loss']
    return sorted(found), [found[step] for step in sorted(found)]


def _samples(protocol: Protocol, number: int = 8) -> list:
    """Some readable pictures to pre-train on, evenly spread."""
    dataset = TextImageDataset(protocol.unlabelled)
    images = []
    for index in range(0, len(dataset), max(1, len(dataset) // number)):
        try:
            images.append(dataset.load(index)['img'])
        except UnreadableRecordError:
            continue  # named by the runs that trained on the set
    return images[:number]
