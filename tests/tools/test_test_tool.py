"""`tools/test.py`, from a config and a checkpoint to tables."""
import json
from pathlib import Path
from typing import Any, Dict, List

import cv2
import mmengine
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.structures import LabelData
from mmocr.registry import MODELS

from lmim.datasets.lmdb_writer import LMDBWriter
from tests.tool_runs import REPO, mini_config, run_tool

BASE = REPO / 'configs/_base_'
#: Upright it is wide, and bright in its top left quarter.
UPRIGHT = np.full((24, 60, 3), 20, 'uint8')
UPRIGHT[:12, :30] = 250


@MODELS.register_module()
class Compass(BaseModel):
    """Reads which quarter of a picture is bright; surest of the first."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            data_preprocessor=dict(type='TextRecogDataPreprocessor'))
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, inputs: torch.Tensor, data_samples: Any,
                mode: str) -> Any:
        assert inputs.shape[1:] == (3, 32, 128)
        quarters = inputs[:, 0].unfold(1, 16, 16).unfold(2, 64, 64)
        brightest = quarters.mean((-1, -2)).flatten(1).argmax(1)
        for sample, place in zip(data_samples, brightest.tolist()):
            read = ['tl', 'tr', 'bl', 'br'][place]
            sample.pred_text = LabelData(
                item=read, score=[0.9 if place == 0 else 0.6] * 2)
        return data_samples


def write_set(path: Path, pictures: List[np.ndarray], label: str) -> None:
    with LMDBWriter(path) as writer:
        for picture in pictures:
            writer.add(cv2.imencode('.png', picture)[1].tobytes(), label)


def write_config(path: Path, sets: Dict[str, str], bases: List[Path],
                 extra: str = '') -> Path:
    """A config that tests on several sets, all in one benchmark."""
    datasets = [
        f"dict(type='TextImageDataset', data_root={str(path.parent)!r}, "
        f'paths={file!r}, with_text=True, test_mode=True, pipeline=None, '
        f"published=dict(name={name!r}, benchmark='Turned'))"
        for name, file in sets.items()
    ]
    path.write_text(f"""
_base_ = {list(map(str, bases))!r}
{extra}
test_dataloader = dict(
    _delete_=True, batch_size=3, num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='ConcatDataset', datasets=[{', '.join(datasets)}],
                 pipeline=_base_.test_pipeline))
test_cfg = dict(type='TestLoop')
test_evaluator = dict(dataset_prefixes={list(sets)!r})
""")
    return path


@pytest.fixture
def turned(tmp_path: Path) -> Path:
    """A config of pictures on their side, and one upside down."""
    sides = [cv2.rotate(UPRIGHT, cv2.ROTATE_90_CLOCKWISE),
             cv2.rotate(UPRIGHT, cv2.ROTATE_90_COUNTERCLOCKWISE)]
    write_set(tmp_path / 'tall.lmdb', [*sides, sides[1]], 'tl')
    write_set(tmp_path / 'wide.lmdb', [UPRIGHT, UPRIGHT[::-1, ::-1]], 'tl')
    torch.save(dict(state_dict=dict(weight=torch.zeros(1))),
               tmp_path / 'compass.pth')
    return write_config(
        tmp_path / 'turned.py', dict(tall='tall.lmdb', wide='wide.lmdb'),
        [BASE / 'recognizer_dataloader.py', BASE / 'default_runtime.py'],
        "model = dict(type='Compass')\n"
        'train_dataloader = val_dataloader = val_evaluator = None')


def accuracies(path: Path) -> Dict[str, float]:
    table, = json.loads(path.read_text())['tables']
    found = {row['name']: row['accuracy'] for row in table['sets']}
    return dict(found, Avg=table['averages']['Avg']['accuracy'])


def test_tall_pictures_are_read_in_the_orientation_that_is_surest(
        turned: Path) -> None:
    room = turned.parent
    for options in ([], ['--tta', '--misread', '0']):
        outcome = run_tool('test.py', room, turned, 'compass.pth',
                           '--work-dir', 'run', *options)
        assert outcome.code == 0, outcome.stderr
    # Wide pictures stay as they are, upside down or not.
    assert accuracies(room / 'run/compass_benchmark.json') == dict(
        tall=0., wide=50., Avg=25.)
    assert accuracies(room / 'run/compass_tta_benchmark.json') == dict(
        tall=100., wide=50., Avg=75.)
    sheet = (room / 'run/compass_misread.html').read_text()
    assert sheet.count('<img') == 4
    assert not (room / 'run/compass_tta_misread.html').exists()


def test_a_recognizer_on_two_sets(tmp_path: Path) -> None:
    """The real decoder gives scores, and its dictionary is looked at."""
    cfg = Config.fromfile(mini_config('textrecog/transformer'))
    cfg.model.backbone.pop('init_cfg')
    torch.manual_seed(0)
    model = MODELS.build(dict(cfg.model, _scope_='mmocr'))
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'x.pth')
    write_set(tmp_path / 'a.lmdb', [UPRIGHT], 'caf\u00e9')
    write_set(tmp_path / 'b.lmdb', [UPRIGHT] * 4, 'longer than 8')
    config = write_config(tmp_path / 'two.py', dict(a='a.lmdb', b='b.lmdb'),
                          [mini_config('textrecog/transformer')])
    outcome = run_tool('test.py', tmp_path, config, 'x.pth', '--work-dir',
                       'run', '--save-preds')
    assert outcome.code == 0, outcome.stderr
    table, = json.loads(
        (tmp_path / 'run/x_benchmark.json').read_text())['tables']
    assert table['max_length'] == 8
    assert [(row['samples'], row['too_long'], row['outside'])
            for row in table['sets']] == [(1, 0, 1), (4, 4, 4)]
    predictions = mmengine.load(tmp_path / 'run/x.pth_predictions.pkl')
    assert len(predictions) == 5
    for sample in predictions:
        score = sample['pred_text']['score']
        assert len(score) == len(sample['pred_text']['item'])
        assert all(0 < value <= 1 for value in score)
    page = (tmp_path / 'run/x_benchmark.md').read_text()
    assert 'the recognizer writes 94 characters, 8 a word' in page


@pytest.mark.parametrize('option, word', [
    (['--tta'], 'tta_model and tta_pipeline'),
    (['--misread', '3'], "benchmark=dict(type='BenchmarkHook')"),
])
def test_options_that_a_config_cannot_serve_are_refused(
        tmp_path: Path, option: List[str], word: str) -> None:
    config = tmp_path / 'bare.py'
    config.write_text('test_evaluator = dict()\n')
    outcome = run_tool('test.py', tmp_path, config, 'x.pth', *option)
    assert outcome.code == 1
    assert outcome.stderr.startswith('\nError: ') and word in outcome.stderr


def test_pictures_of_predictions_come_from_the_data_set(turned: Path) -> None:
    """Of LMDBs, whose words name no file, and of MMOCR's hook in a config."""
    room = turned.parent
    for count, options in enumerate((
            {}, {'default_hooks.visualization.type': 'VisualizationHook'})):
        outcome = run_tool('test.py', room, turned, 'compass.pth',
                           '--work-dir', f'run{count}', '--show-dir',
                           f'shown{count}', options=options)
        assert outcome.code == 0, outcome.stderr
        found = sorted(room.glob(f'shown{count}/**/*.png'))
        assert [path.name[:7] for path in found] == [
            f'00000{number}_' for number in range(1, 6)]
        # Above the texts the picture as it was, 64 pixels high.
        first, last = (cv2.imread(str(found[at])) for at in (0, 4))
        assert first.shape[:2] == (64 + 2 * 16 + 6, 324)
        assert last[2:66][-4, 140, 0] > 200 > 60 > last[4, 4, 0]
