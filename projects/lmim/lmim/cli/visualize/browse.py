"""`lmim visualize browse`: what the pipelines of a config give."""
import argparse
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
from mmengine.config import DictAction

from lmim.cli import Command, at_least, track
from lmim.datasets.known_sets import read_config
from lmim.engine.hooks.data_check_hook import check_data
from lmim.utils.atomic import refuse_file
from lmim.visualization import contact_sheet, save_picture
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
        most = max([len(record.stages) for record in shown] + [1])
        # Pictures of a record stay together.
        columns = most * (max(1, COLUMNS // most)
                          if args.mode != 'pipeline' else 1)
        tiles = [tile for record in shown
                 for tile in _tiles(record, args.mode, most)]
        save_picture(contact_sheet(tiles, columns, CELL), path)
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


def _tiles(record: Shown, mode: str,
           count: int) -> List[Tuple[np.ndarray, str]]:
    """So many pictures with captions; the rest is blank."""
    label = record.text or Path(record.name).name
    if record.fault is not None:
        tiles = [(np.full((64, 256, 3), 200, np.uint8),
                  f'{label}: {record.fault}')]
    else:
        tiles = [(picture, stage.replace('given to the model: ', ''))
                 for stage, picture in record.stages]
        picture, stage = tiles[0]
        tiles[0] = (picture, f'{label}: {stage}' if mode == 'pipeline'
                    else label)
    return tiles + [(np.full((1, 1, 3), 255, np.uint8), '')] * (
        count - len(tiles))
