"""What the quick start shows in the end."""
import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from matplotlib.figure import Figure
from pictures import Sets
from settings import Settings
from stages import data_options

from lmim.datasets import TextImageDataset
from lmim.datasets.records import Spec, UnreadableRecordError
from lmim.engine.hooks.checkpoint_hook import find_resumable
from lmim.utils.atomic import write_atomic
from lmim.visualization import draw_view_sheet, save_picture

WAICS = 'rendered/recog/word_acc_ignore_case_symbol'
#: What the checkpoints that stages end with are called in the work dir.
CHECKPOINTS = {'mae': 'mae.pth', 'lmim': 'lmim.pth',
               'finetune': 'recognizer.pth',
               'scratch': 'recognizer_from_scratch.pth'}
PACKAGES = ('torch', 'torchvision', 'numpy', 'opencv-python', 'mmengine',
            'mmcv-lite', 'mmcv', 'mmdet', 'mmocr', 'mmpretrain')

TASK = """\
The task is made to be learnt in minutes on two cores: dark printed words of
3 to 5 letters, of which neither words nor fonts of the test were seen in
training. It shows that everything works, and is no benchmark: more minutes
read more words, and all training words have labels, so that pre-training has
nothing to add. docs/quickstart.md says more."""


def accuracy(folder: Path) -> Optional[float]:
    """WAICS of the newest evaluation in a folder, in per cent."""
    for path in sorted(folder.glob('*/*.json'), reverse=True):
        metrics = json.loads(path.read_text())
        if WAICS in metrics:
            return round(100 * metrics[WAICS], 2)
    return None


def summarize(settings: Settings, sets: Sets,
              stages: Dict[str, Dict[str, Any]],
              unreadable: List[str]) -> Dict[str, Any]:
    """Gather what machines read; written as summary.json."""
    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    work = settings.work_dir
    summary = dict(
        stages=stages,
        seconds=round(sum(stage['seconds'] for stage in stages.values()), 1),
        plan=json.loads((work / 'plan.json').read_text()),
        test_set=sets.name,
        samples=sets.counts(),
        unreadable=unreadable,
        waics=dict(lmim=accuracy(work / 'evaluate-finetune'),
                   scratch=accuracy(work / 'evaluate-scratch')),
        settings={key: str(value) if isinstance(value, Path) else value
                  for key, value in settings._asdict().items()},
        versions=dict(python=platform.python_version(), **packages))
    write_atomic(work / 'summary.json',
                 json.dumps(summary, indent=2, ensure_ascii=False).encode())
    return summary


def publish_checkpoints(work_dir: Path) -> List[Path]:
    """Copy the last checkpoint of each stage to a name that does not change.

    Args:
        work_dir (Path): The quick start's work dir.

    Returns:
        List[Path]: The copies.
    """
    copies = []
    for stage, name in CHECKPOINTS.items():
        last = find_resumable(work_dir / stage)
        if last is not None:
            write_atomic(work_dir / name, Path(last).read_bytes())
            copies.append(work_dir / name)
    return copies


def draw(settings: Settings, sets: Sets) -> List[Path]:
    """Draw the pictures; returns their paths."""
    work = settings.work_dir
    views = work / 'views.png'
    save_picture(
        draw_view_sheet(_samples(sets.pretrain), patch_size=(32, 4),
                        seed=settings.seed), views)
    curves = work / 'curves.png'
    save_picture(
        _draw_losses({
            'MAE teacher': {'mae': work / 'mae'},
            'LMIM': {'lmim': work / 'lmim'},
            'recognizer': {'from LMIM': work / 'finetune',
                           'from scratch': work / 'scratch'}
        }), curves)
    return [views, curves]


def _draw_losses(panels: Dict[str, Dict[str, Path]]) -> Figure:
    """The loss of runs by their work dirs, a panel for each title."""
    figure = Figure(figsize=(4 * len(panels), 3), layout='constrained')
    axes = figure.subplots(1, len(panels))
    for axis, (title, runs) in zip(axes, panels.items()):
        for name, work_dir in runs.items():
            axis.plot(*_losses(work_dir), label=name)
        axis.set(title=title, xlabel='batches', ylabel='loss')
        axis.grid(alpha=0.3)
        axis.legend()
    return figure


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


def _samples(spec: Spec, number: int = 8) -> list:
    """Some readable pictures of a set, evenly spread."""
    dataset = TextImageDataset(spec)
    images = []
    for index in range(0, len(dataset), max(1, len(dataset) // number)):
        try:
            images.append(dataset.load(index)['img'])
        except UnreadableRecordError:
            continue  # named by the stages that trained on the set
    return images[:number]


def table(summary: Dict[str, Any]) -> str:
    """Markdown table of both recognizers."""
    rows = [['set', 'samples', 'WAICS from LMIM', 'WAICS from scratch'],
            [summary['test_set'], str(summary['samples']['test'])]]
    for value in summary['waics'].values():
        rows[1].append('not measured' if value is None else f'{value:.2f} %')
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ['| ' + ' | '.join(cell.ljust(width) for cell, width in
                               zip(row, widths)) + ' |' for row in rows]
    rule = '|'.join('-' * (width + 2) for width in widths)
    lines.insert(1, f'|{rule}|')
    return '\n'.join(lines)


def tell(settings: Settings, sets: Sets, summary: Dict[str, Any],
         pictures: List[Path]) -> None:
    """Print the table, where everything lies, and what to do next."""
    work = settings.work_dir
    text = table(summary)
    write_atomic(work / 'results.md', (text + '\n').encode())
    print(f'\n{text}\n')
    print('WAICS: word accuracy, ignoring case and symbols.')
    if settings.data is None:
        print(TASK)
    if summary['unreadable']:
        print(f'{len(summary["unreadable"])} pictures could not be read and '
              'were left out: ' + '; '.join(summary['unreadable'][:3]))
    made = {
        'pictures': pictures, 'table': [work / 'results.md'],
        'everything for machines': [work / 'summary.json'],
        'checkpoints': publish_checkpoints(work)
    }
    print('\nMade:')
    for what, paths in made.items():
        for path in paths:
            if path.exists():
                print(f'  {what}: {path}')
                what = ' ' * len(what)
    if settings.data is None:
        print('\nNext, your own pictures (a folder is enough):\n  bash '
              'tools/quickstart.sh --data /path/to/your/pictures '
              '--work-dir work_dirs/mine')
    else:
        teacher = 'configs/pretrain/mae/mae_vit-small_8xb128-20e_union14m-u.py'
        print('\nNext, the teacher at full size on these pictures (and then '
              "as in README, 'Your own images'):\n  python tools/train.py "
              f'{teacher} --amp --auto-scale-lr --cfg-options ' +
              ' '.join(data_options('train', sets.pretrain)[1:]))
