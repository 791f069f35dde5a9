"""Small sets laid where the data sets of a config are expected."""
import json
from pathlib import Path
from typing import Any, Dict, Iterator, List


from lmim.datasets.known_sets import spec_paths
from tests.datasets.make_lmdb import make_lmdb, noise

LABELS = ['Ab1', 'word', 'x', 'LMIM']
IMAGES = noise(len(LABELS))


def lay_loader(dataset: Dict[str, Any]) -> None:
    """Lay all sets of a dataloader: at least the two batches of two that the
    warm-up of an epoch needs."""
    sets = []
    for each in datasets_of(dataset):
        if each['type'] == 'RenderedTextDataset':
            each['length'] = 4  # nothing is read
        else:
            sets.append(each)
    paths = [path for each in sets for path in spec_paths(each['paths'])]
    for each in sets:
        lay_set(each, 2 if len(paths) > 1 else 4)


def datasets_of(cfg: Any) -> Iterator[Dict[str, Any]]:
    """All innermost datasets of a dataloader's dataset."""
    if 'datasets' in cfg:
        for inner in cfg['datasets']:
            yield from datasets_of(inner)
    else:
        yield cfg


def lay_set(dataset: Dict[str, Any], number: int = 4) -> None:
    """Lay pictures of noise, with labels, where a dataset expects its own:
    a list by the suffix of its path, else an LMDB."""
    assert dataset['type'] == 'TextImageDataset'
    paths = dataset['paths']
    specs = paths if isinstance(paths, (list, tuple)) else [paths]
    for spec in specs:
        named = {
            setting.split('.')[-1]: Path(path) for setting, path in spec_paths(
                spec, dataset.get('data_root', ''))
        }
        path = named.get('path', named.get('paths'))
        assert path is not None and 'labels' not in named
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix not in ('.json', '.jsonl', '.txt'):
            make_lmdb(path, IMAGES[:number],
                      [label.encode() for label in LABELS[:number]])
            continue
        folder = named.get('image_root', path.parent)
        folder.mkdir(parents=True, exist_ok=True)
        for i, image in enumerate(IMAGES[:number]):
            (folder / f'{i}.png').write_bytes(image)
        path.write_text(_list(path.suffix, number), encoding='utf-8')


def _list(suffix: str, number: int) -> str:
    """A list of so many pictures."""
    pairs = [(f'{i}.png', label) for i, label in enumerate(LABELS[:number])]
    if suffix == '.txt':
        return ''.join(f'{name}\t{label}\n' for name, label in pairs)
    if suffix == '.jsonl':
        return ''.join(json.dumps(dict(filename=name, text=label)) + '\n'
                       for name, label in pairs)
    entries: List[Dict[str, Any]] = [
        dict(img_path=name, instances=[dict(text=label)])
        for name, label in pairs
    ]
    return json.dumps(dict(
        metainfo=dict(dataset_type='TextRecogDataset', task_name='textrecog'),
        data_list=entries))
