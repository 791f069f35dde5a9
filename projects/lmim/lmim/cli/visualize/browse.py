"""`lmim visualize browse`: what the pipelines of a config give."""
import argparse
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import cv2
import numpy as np
from mmengine.config import DictAction

from lmim.cli import Command, at_least, track
from lmim.datasets.known_sets import read_config
from lmim.engine.hooks.data_check_hook import check_data
from lmim.utils.atomic import refuse_file, write_atomic
from lmim.visualization import contact_sheet
from lmim.visualization.browsing import (MODES, PHASES, Shown, build_datasets,
                                         iter_shown)

COLUMNS = 6
CELL = (64, 256)


class Browse(Command):
    """Draw what the data sets of a config give, through its pipelines.

    Labelled pictures are drawn with their text, unlabelled ones of LMIM with
    both views. Modes: original, as decoded; transformed, what the model is
    given; pipeline, the picture after each transform that changes it (of
    several views the first).
    """

    name = 'browse'
    summary = 'what the pipelines of a config give'
    example = ('browse configs/pretrain/lmim/lmim_vit-mini_1xb64_rendered.py '
               '--mode pipeline')

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        add = parser.add_argument
        add('config', type=Path, metavar='CONFIG', help='the config file')
        add('-p', '--phase', choices=PHASES, default='train',
            help='whose data sets (default: %(default)s)')
        add('-m', '--mode', choices=MODES, default='transformed',
            help='what to draw (default: %(default)s)')
        add('-n', '--number', type=at_least(1), default=24, metavar='N',
            help='the most records of each data set, evenly spread '
            '(default: %(default)s)')
        add('-o', '--output-dir', type=Path, default=Path('browse'),
            metavar='DIR',
            help='folder for the sheet PHASE_MODE.png (default: %(default)s)')
        add('--overwrite', action='store_true',
            help='replace the sheet if it is there')
        add('--seed', type=at_least(0), default=0,
            help='of what transforms draw (default: %(default)s)')
        add('--cfg-options', nargs='+', action=DictAction,
            metavar='KEY=VALUE',
            help='change settings of the config; data_root=FOLDER says where '
            'all data sets lie')

    def run(self, args: argparse.Namespace) -> Dict[str, Any]:
        """Draw the sheet."""
        path = args.output_dir / f'{args.phase}_{args.mode}.png'
        refuse_file(path, args.overwrite)
        if not args.config.is_file():
            raise FileNotFoundError(f'config {args.config} does not exist')
        options = dict(args.cfg_options or {})
        root = options.pop('data_root', None)
        cfg = read_config(str(args.config), root and str(root))
        cfg.merge_from_dict(options)
        if cfg.get(f'{args.phase}_dataloader'):
            check_data(cfg, (f'{args.phase}_dataloader', ))
        datasets = build_datasets(cfg, args.phase)
        total = sum(min(args.number, len(each)) for each in datasets)
        shown = list(track(
            iter_shown(datasets, args.mode, args.number, args.seed), total,
            'records'))
        columns = _columns(shown, args.mode)
        sheet = contact_sheet(_tiles(shown, args.mode, columns), columns,
                              CELL)
        write_atomic(path, cv2.imencode('.png', sheet)[1].tobytes())
        faults = [f'{each.name}: {each.fault}' for each in shown
                  if each.fault is not None]
        return {
            'ok': len(faults) < len(shown),
            'output': str(path),
            'phase': args.phase,
            'mode': args.mode,
            'datasets': [len(each) for each in datasets],
            'records': [{'name': each.name, 'text': each.text,
                         'stages': [stage for stage, _ in each.stages]}
                        for each in shown],
            'unreadable': faults,
        }

    def report(self, result: Dict[str, Any]) -> str:
        """Say what was done."""
        sizes = ', '.join(f'{size:,}' for size in result['datasets'])
        lines = [f'{len(result["records"])} records of {result["phase"]} '
                 f'(sets of {sizes}) drawn in {result["output"]}']
        if result['unreadable']:
            lines.append(f'{len(result["unreadable"])} could not be read:')
            lines += [f'  {line}' for line in result['unreadable'][:10]]
        return '\n'.join(lines)


def _columns(shown: List[Shown], mode: str) -> int:
    """Pictures side by side: those of a record stay together."""
    most = max([len(record.stages) for record in shown] + [1])
    return most if mode == 'pipeline' else max(1, COLUMNS // most) * most


def _tiles(shown: List[Shown], mode: str,
           columns: int) -> Iterator[Tuple[np.ndarray, str]]:
    """Pictures with captions; in the mode `pipeline` a row for a record."""
    blank = np.full((1, 1, 3), 255, np.uint8)
    for record in shown:
        label = record.text or Path(record.name).name
        tiles = []
        for number, (stage, picture) in enumerate(record.stages):
            caption = stage.replace('given to the model: ', '')
            if number == 0:
                caption = (f'{label}: {stage}' if mode == 'pipeline'
                           else label)
            tiles.append((_enlarged(picture), caption))
        if record.fault is not None:
            tiles = [(np.full((32, 64, 3), 200, np.uint8),
                      f'{label}: {record.fault}')]
        yield from tiles
        if mode == 'pipeline' or record.fault is not None:
            yield from [(blank, '')] * (-len(tiles) % columns)


def _enlarged(picture: np.ndarray) -> np.ndarray:
    """A small picture at twice its size, where that has room."""
    height, width = picture.shape[:2]
    if 2 * height > CELL[0] or 2 * width > CELL[1]:
        return picture
    return cv2.resize(picture, None, fx=2, fy=2,
                      interpolation=cv2.INTER_NEAREST)
