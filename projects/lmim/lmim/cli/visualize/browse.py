"""`lmim visualize browse`: what the pipelines of a config give."""
import argparse
from pathlib import Path
from typing import (Any, Dict, Iterator, List, NamedTuple, Optional, Sequence,
                    Tuple)

import cv2
import numpy as np
import torch
from mmengine.config import Config, DictAction
from mmocr.registry import DATASETS

from lmim.cli import Command, at_least, track
from lmim.datasets.known_sets import read_config
from lmim.datasets.labels.reading import innermost
from lmim.datasets.records import UnreadableRecordError
from lmim.datasets.transforms import SeveralViews
from lmim.engine.hooks.data_check_hook import check_data
from lmim.utils.atomic import refuse_file
from lmim.utils.errors import UserError
from lmim.visualization import contact_sheet, save_picture
from lmim.visualization.reconstruction import random_state_kept

PHASES = ('train', 'val', 'test')
MODES = ('original', 'transformed', 'pipeline')
COLUMNS = 6
CELL = (64, 256)

#: What made a picture, and the picture (H, W, 3), uint8, BGR.
Stage = Tuple[str, np.ndarray]


class Shown(NamedTuple):
    """A record of a data set, as it is shown."""
    name: str  # by which a person finds it
    text: str = ''  # its label, if it has one
    stages: List[Stage] = []
    fault: Optional[str] = None  # why there are none


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
        datasets = _build_datasets(cfg, args.phase)
        total = sum(min(args.number, len(each)) for each in datasets)
        shown = list(track(
            _iter_shown(datasets, args.mode, args.number, args.seed), total,
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


def _build_datasets(cfg: Config, phase: str) -> List[Any]:
    """The data sets of a phase, inside all wrappers, with their pipelines."""
    loaders = cfg.get(f'{phase}_dataloader')
    if not loaders:
        found = [name for name in PHASES if cfg.get(f'{name}_dataloader')]
        raise UserError(f'the config has no {phase}_dataloader. It has '
                        f'{" and ".join(found) or "none"}: --phase')
    loaders = loaders if isinstance(loaders, list) else [loaders]
    return [leaf for loader in loaders for leaf in innermost(
        DATASETS.build(dict(loader['dataset'], _scope_='mmocr')))]


def _iter_shown(datasets: Sequence[Any], mode: str, number: int,
                seed: int) -> Iterator[Shown]:
    """So many records of data sets, evenly spread over each."""
    for dataset in datasets:
        count = min(number, len(dataset))
        for place in range(count):
            index = place * len(dataset) // count
            with random_state_kept(seed + index):
                yield _show(dataset, index, mode)


def _show(dataset: Any, index: int, mode: str) -> Shown:
    """Run a record through its pipeline."""
    name = f'record {index}'
    try:
        info = getattr(dataset, 'load', dataset.get_data_info)(index)
        name = str(info.get('img_path') or name)
        instances = info.get('instances') or [{}]
        text = str(instances[0].get('text') or '')
        stages = _run(info, list(dataset.pipeline.transforms), mode)
    except (UnreadableRecordError, OSError, ValueError, cv2.error) as error:
        return Shown(name, fault=str(error).strip().split('\n')[0])
    if not stages:
        return Shown(name, text, fault='a transform makes nothing of it')
    return Shown(name, text, stages)


def _run(results: Any, transforms: List[Any], mode: str) -> List[Stage]:
    """The pictures of all stages that a mode shows."""
    stages = _pictures(results, 'as decoded', [])
    while transforms and not (mode == 'original' and stages):
        transform = transforms.pop(0)
        if isinstance(transform, SeveralViews) and mode == 'pipeline':
            # Its first view, step by step.
            transforms = list(transform.transforms.transforms)
            continue
        results = transform(results)
        if results is None:
            return []
        if isinstance(results, dict):
            stages += _pictures(results, type(transform).__name__, stages)
    if mode != 'transformed':
        return stages
    views = results if isinstance(results, list) else [results]
    return [stage for number, view in enumerate(views, 1)
            for stage in _pictures(
                view, f'view {number}' if number > 1 else
                'given to the model', [])]


def _pictures(results: Dict[str, Any], stage: str,
              before: List[Stage]) -> List[Stage]:
    """The pictures of a state that differ from those before."""
    inputs = results.get('inputs')
    if inputs is None:
        inputs = (results.get('img'), results.get('guidance_img'))
    elif not isinstance(inputs, (list, tuple)):
        inputs = (inputs, )
    found: List[Stage] = []
    for what, value in zip((stage, f'{stage}: guidance view'), inputs):
        picture = _picture(value)
        if picture is not None and not any(
                np.array_equal(picture, old) for _, old in before + found):
            found.append((what, picture))
    return found


def _picture(value: Any) -> Optional[np.ndarray]:
    """A picture (H, W, 3) uint8, BGR, of what a pipeline holds."""
    if isinstance(value, torch.Tensor):
        value = value.permute(1, 2, 0).numpy()
    if not isinstance(value, np.ndarray) or value.ndim not in (2, 3):
        return None
    if value.dtype != np.uint8:
        # Normalised pixels: from their darkest to their brightest.
        value = value - value.min()
        value = (255. / max(value.max(), 1e-12) * value).astype(np.uint8)
    if value.ndim == 2 or value.shape[2] == 1:
        return cv2.cvtColor(value, cv2.COLOR_GRAY2BGR)
    return np.ascontiguousarray(value)


def _tiles(record: Shown, mode: str,
           count: int) -> List[Tuple[np.ndarray, str]]:
    """So many pictures with captions; the rest is blank."""
    label = record.text or Path(record.name).name
    (stage, picture), *others = record.stages or [
        (str(record.fault), np.full((*CELL, 3), 200, np.uint8))]
    if mode == 'pipeline' or record.fault:
        label = f'{label}: {stage}'
    tiles = [(picture, label)]
    tiles += [(picture, stage.replace('given to the model: ', ''))
              for stage, picture in others]
    blank = np.full((1, 1, 3), 255, np.uint8)
    return tiles + [(blank, '')] * (count - len(tiles))
