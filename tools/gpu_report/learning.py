"""Does pre-training pay at ViT-S? Compared in the minutes that are left."""
import json
import os
import string
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Sequence

from lmim.comparison.tasks import result_of
from lmim.engine.hooks.checkpoint_hook import find_resumable

from .part import Room, read_room
from .rows import read_rows

REPO = Path(__file__).resolve().parents[2]
#: Files that come back from a lent machine are smaller.
LARGEST = '15m'
#: Seconds for what follows the comparison.
AFTER = 40.
#: A picture of LMIM's budget costs so much of a step of LMIM, over all
#: methods that are trained; one of fine-tuning so much.
PRETRAINING_COST, FINETUNING_COST = 1.2, 0.7


def lmim(*args: Any, timeout: float) -> None:
    """Run a command of this project; what it says goes into the log."""
    subprocess.run([sys.executable, '-m', 'lmim', *map(str, args)],
                   check=True, timeout=timeout)


def rate_of(room: Room) -> float:
    """Pictures a second of LMIM, as the parts before have measured."""
    found = [row['images_per_s'] for row in read_rows(
        room.out / 'speed.jsonl') if row['table'] == 'steps'
        and (row['training'], row['way']) == ('LMIM', 'eager')
        and not isinstance(row['images_per_s'], str)]
    loaded = [row['images_per_s'] for row in read_rows(
        room.out / 'loading.jsonl') if row['table'] == 'loading']
    rate = max(found, default=20. if room.quick else 2500.)
    return min(rate, max(loaded, default=rate))


def write_comparison(room: Room, data: Path, seconds: float) -> Path:
    """A comparison that takes about so many seconds."""
    rate = rate_of(room)
    views = int(0.6 * seconds * rate / PRETRAINING_COST)
    base = REPO / 'configs/comparison' / (
        'rendered_vit-mini.py' if room.quick else 'rendered_vit-small.py')
    batch, methods = (16, 2) if room.quick else (256, 4)
    updates = int(0.4 * seconds * rate / FINETUNING_COST / methods / batch)
    tests: Dict[str, str] = {'rendered': str(data / 'test.lmdb')}
    if room.data is not None:
        tests.update({path.name: str(path) for path in sorted(
            room.data.iterdir()) if (path / 'data.mdb').exists()})
    workers = max(1, ((os.cpu_count() or 1) - 2) // 2)
    lines = [f'_base_ = {str(base)!r}',
             f'unlabelled = labelled = {str(data / "train.lmdb")!r}',
             f'tests = {tests!r}',
             f'pretraining = dict(views={views}, options='
             f'{{"train_dataloader.num_workers": {workers}}})',
             f'labels = [dict(words="all", batches={max(updates, 4)})]',
             f'finetuning = dict(batch_size={batch}, options='
             f'{{"train_dataloader.num_workers": {workers}}})']
    if room.quick:
        lines += ['compared = ["mae", "scratch"]', 'seeds = [0]']
    path = room.out / 'comparison.py'
    path.write_text('\n'.join(lines) + '\n')
    room.rows.add('budget', views=views, updates=updates,
                  seconds=round(seconds), assumed_images_per_s=round(rate))
    return path


def results(room: Room, work_dir: Path) -> List[Dict[str, Any]]:
    """What the recognizers that are done read, best first."""
    found: List[Dict[str, Any]] = []
    for folder in sorted(work_dir.glob('final/*')):
        result = result_of(work_dir, f'final/{folder.name}')
        if result is not None:
            figures = {name: one['waics']
                       for name, one in result['sets'].items()}
            found.append(dict(method=folder.name.split('-all-')[0],
                              folder=folder, figures=figures))
    found.sort(key=lambda one: -sum(one['figures'].values()))
    for one in found:
        room.rows.add('learning', method=one['method'], **one['figures'])
    return found


def main() -> None:
    """Render, compare, and keep the best weights."""
    room = read_room(__doc__ or '')
    data = room.out / 'words'
    words = room.data / 'words.txt' if room.data is not None else None
    manner: Sequence[Any] = (
        ['--words', words, '--manner', 'scene'] if words and words.exists()
        else ['--alphabet', string.ascii_letters + string.digits])
    lmim('data', 'render', data, '--train', 500 if room.quick else 200_000,
         '--test', 100 if room.quick else 2000, '--overwrite', *manner,
         timeout=room.left)
    work_dir = room.out / 'compared'
    # Programs start, and sets are divided.
    seconds = (room.left - AFTER) * 0.8 - 20
    config = write_comparison(room, data, max(seconds, 10.))
    try:
        lmim('compare', config, '--final', '--workers', 1 if room.quick else 2,
             '--work-dir', work_dir, timeout=room.left - AFTER)
    except subprocess.TimeoutExpired:
        room.rows.add('learning', method='not all was done in time')
    found = results(room, work_dir)
    if not found:
        return
    best = room.out / 'best.safetensors'
    lmim('checkpoint', 'publish', find_resumable(found[0]['folder']), best,
         '--overwrite', timeout=room.left)
    if best.stat().st_size > 15 * 2**20:
        # `cat best.safetensors.* > best.safetensors` joins them.
        subprocess.run(['split', '-b', LARGEST, best, f'{best}.'], check=True)
        best.unlink()
    (room.out / 'best.json').write_text(json.dumps(
        {key: str(value) if key == 'folder' else value
         for key, value in found[0].items()}))


if __name__ == '__main__':
    main()
