"""What the quick start shows in the end."""
import argparse
import json
import platform
from pathlib import Path
from typing import Any, Dict, List, Tuple

from matplotlib.figure import Figure
from plan import CONFIG, changes

from lmim.cli.doctor import installed, requirements
from lmim.comparison.protocol import read_protocol
from lmim.comparison.tasks import result_of
from lmim.datasets.pictures import read_some
from lmim.datasets.records import RecordSource, open_sources
from lmim.engine.hooks.checkpoint_hook import find_resumable
from lmim.utils.atomic import write_atomic
from lmim.visualization import draw_view_sheet, save_picture

#: The stages in the order of the comparison's runs, and what the checkpoints
#: that they end with are called.
CHECKPOINTS = {'mae': 'mae.pth', 'lmim': 'lmim.pth',
               'scratch': 'recognizer_from_scratch.pth',
               'finetune': 'recognizer.pth'}

TASK = """\
The task is made to be learnt in minutes on two cores: dark printed words of
3 to 5 letters, of which neither words nor fonts of the test were seen in
training, many without labels and few with. It is no benchmark; more minutes
read more words. docs/quickstart.md says where the gain of pre-training ends,
and docs/proving_ground.md has figures of real words."""


def report(settings: argparse.Namespace, planned: Dict[str, Any],
           found: Dict[str, Any]) -> None:
    """Write tables, pictures and checkpoints, and print where they are."""
    work = Path(settings.work_dir)
    unlabelled = read_protocol(
        str(CONFIG), changes(settings, planned)).unlabelled
    runs = dict(zip(CHECKPOINTS, found['runs']))
    folders = {stage: work / run for stage, run in runs.items()}
    stages: Dict[str, Any] = {stage: result_of(work, run)
                              for stage, run in runs.items()}
    write_atomic(work / 'summary.json', json.dumps(dict(
        stages=stages, plan=planned,
        seconds=sum(stage['seconds'] for stage in stages.values()),
        versions=dict(python=platform.python_version(),
                      **{name: installed()[name] for name in requirements()
                         if name in installed()})),
        indent=2, ensure_ascii=False).encode())
    write_atomic(work / 'results.md', found['page'].encode())
    made = {
        'pictures': _draw(work, open_sources(unlabelled), folders,
                          settings.seed),
        'table': [work / 'results.md'],
        'everything for machines': [work / 'summary.json'],
        'checkpoints': _publish(work, folders)
    }
    print(f'\n{found["page"]}\nWAICS: word accuracy, ignoring case and '
          'symbols.')
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
              '--amp --auto-scale-lr --cfg-options ' + _paths(unlabelled))


def _paths(spec: Any) -> str:
    """The option that names what was pre-trained on."""
    prefix = 'train_dataloader.dataset.paths'
    if isinstance(spec, dict):
        # Instead of the list that the config has there.
        return ' '.join([f'{prefix}._delete_=True', *(
            f'{prefix}.{key}={value}' for key, value in spec.items())])
    return f'{prefix}={spec}'


def _publish(work_dir: Path, folders: Dict[str, Path]) -> List[Path]:
    """Copy the last checkpoint of each stage to a name that does not change.

    Returns:
        List[Path]: The copies.
    """
    copies = []
    for stage, name in CHECKPOINTS.items():
        last = find_resumable(folders[stage])
        if last is not None:
            write_atomic(work_dir / name, Path(last).read_bytes())
            copies.append(work_dir / name)
    return copies


def _draw(work: Path, unlabelled: RecordSource, folders: Dict[str, Path],
          seed: int) -> List[Path]:
    """Draw the views and the losses; returns the paths."""
    views, curves = work / 'views.png', work / 'curves.png'
    pictures, _ = read_some(unlabelled, 8)
    save_picture(draw_view_sheet(list(pictures.values()), patch_size=(32, 4),
                                 seed=seed), views)
    panels = {'MAE teacher': {'mae': 'mae'}, 'LMIM': {'lmim': 'lmim'},
              'recognizer': {'from LMIM': 'finetune',
                             'from scratch': 'scratch'}}
    figure = Figure(figsize=(4 * len(panels), 3), layout='constrained')
    for axis, (title, lines) in zip(figure.subplots(1, len(panels)),
                                    panels.items()):
        for label, stage in lines.items():
            axis.plot(*_losses(folders[stage]), label=label)
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
