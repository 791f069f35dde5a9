"""A bad checkpoint is named with its fix, wherever it is to be loaded."""
import re
from pathlib import Path
from typing import Dict, List

import pytest
import torch
from mmocr.registry import MODELS

from tests.checkpoints.tiny import Runs
from tests.good_runs import LMIM, RECOGNIZER, recognizing, refused, training
from tests.tool_runs import run_tool

pytestmark = pytest.mark.usefixtures('nothing_lost')


def other_encoder() -> Dict[str, torch.Tensor]:
    """Weights of an encoder of another size."""
    encoder = MODELS.build(dict(
        type='TextViT', _scope_='mmocr', patch_size=8,
        arch=dict(embed_dims=32, num_layers=1, num_heads=2,
                  feedforward_channels=64)))
    return {f'backbone.{name}': value
            for name, value in encoder.state_dict().items()}


def write_bad(kind: str, path: Path, good: Path) -> None:
    """Make a checkpoint that must not be taken."""
    state = dict(optimizer=dict(), meta=dict(epoch=1, iter=2))
    if kind == 'another size':
        torch.save(dict(state, state_dict=other_encoder()), path)
    elif kind == 'another kind':
        torch.save(dict(state, state_dict={
            'layer1.0.conv1.weight': torch.zeros(4, 3, 3, 3)}), path)
    elif kind == 'truncated':
        path.write_bytes(good.read_bytes()[:good.stat().st_size // 2])
    elif kind == 'no checkpoint':
        path.write_text('<!DOCTYPE html>' * 100)
    elif kind == 'executable':
        torch.save(dict(state, state_dict=other_encoder(),
                        extra=Runs(Path('executed'))), path)


#: What the message says where an encoder is loaded, and a whole model.
SAYS: Dict[str, List[str]] = {
    'missing': ['does not exist', 'does not exist'],
    'another size': ['the encoder does not match .*Set arch',
                     'does not fit the model .*Use the config'],
    'another kind': ['holds no encoder .*Known are',
                     'does not fit the model .*Use the config'],
    'truncated': ['truncated.*Copy or download', 'truncated.*Copy or'],
    'no checkpoint': ['no file of torch.save.*Copy', 'no file of torch.save'],
    'executable': ['would be executed.*mkdir.*If you trust'] * 2,
}


@pytest.mark.parametrize('kind', SAYS)
def test_bad_checkpoints(room: Path, tmp_path: Path, kind: str) -> None:
    bad = tmp_path / 'bad.pth'
    write_bad(kind, bad, room / 'recognizer' / 'epoch_2.pth')
    # One function loads encoders, and one hook watches whole models.
    uses = {'backbone': False, 'test': True}
    if kind == 'truncated':
        uses.update(teacher=False, resume=True)
    for use, whole in uses.items():
        tool, args, options = {
            'teacher': ('train.py', [LMIM], training(
                room / 'words.lmdb',
                **{'model.target_generator.checkpoint': bad})),
            'backbone': ('train.py', [RECOGNIZER], recognizing(
                room, **{'model.backbone.init_cfg.checkpoint': bad})),
            'test': ('test.py', [RECOGNIZER, bad], recognizing(room)),
            'resume': ('train.py', [RECOGNIZER, '--resume', bad],
                       recognizing(room)),
        }[use]
        outcome = run_tool(
            tool, room, *args, '--work-dir',
            'lmim' if use == 'teacher' else 'recognizer', options=options)
        message = refused(outcome, bad)
        assert re.search(SAYS[kind][whole], message, re.S), f'{use}: {message}'
    assert not (room / 'executed').exists()


def test_a_teacher_that_is_not_named(room: Path) -> None:
    outcome = run_tool('train.py', room, LMIM, '--work-dir', 'lmim',
                       options=training(room / 'words.lmdb', **{
                           'model.target_generator.checkpoint': 'None'}))
    refused(outcome, 'model.target_generator.checkpoint=FILE',
            'configs/pretrain/mae/')
