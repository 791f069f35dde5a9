"""Every recognizer learns from an LMIM checkpoint, on four real words."""
from pathlib import Path
from typing import Any, List

import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmocr.registry import DATASETS, MODELS

from lmim.checkpoints import load_encoder_weights
from lmim.datasets.known_sets import read_config
from tests.checkpoints.tiny import write_encoder
from tests.tool_runs import REPO, mini_config

#: In the size of a CPU, one for each recognizer and head.
#: Two take what these words do not have, known letters and sequences of words:
#: test_glyph_attention and test_in_context train them.
CONFIGS = sorted(
    path for path in (REPO / 'configs/textrecog').rglob('*vit-mini_*.py')
    if not path.name.startswith(('siga-letters', 'lmim-icl')))
#: Words; their steps at the most, and how often they are read meanwhile.
WORDS, STEPS, EVERY = 4, 300, 10


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The encoder of LMIM pre-training, before its first step."""
    torch.manual_seed(0)
    return write_encoder(
        read_config(str(mini_config('pretrain/lmim'))).model.backbone,
        tmp_path_factory.mktemp('lmim') / 'epoch_4.pth')


def read(model: torch.nn.Module, words: List[Any]) -> int:
    """How many of the words are read as they are written."""
    model.eval()
    with torch.no_grad():
        samples = model.test_step(pseudo_collate(words))
    model.train()
    return sum(sample.pred_text.item == sample.gt_text.item
               for sample in samples)


@pytest.mark.parametrize(
    'path', CONFIGS, ids=[path.name.split('_')[0] for path in CONFIGS])
def test_words_are_learnt(path: Path, checkpoint: str,
                          shared_data: Path) -> None:
    cfg = read_config(str(path))
    vit = cfg.model.backbone.get('vit', cfg.model.backbone)
    vit.init_cfg.checkpoint = checkpoint
    if cfg.model.decoder.get('max_seq_len') == 8:
        cfg.model.decoder.max_seq_len = 11  # '03/09/2009' and its end
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmocr'):
        model = MODELS.build(cfg.model)
        model.init_weights()
        optimizer = build_optim_wrapper(model, cfg.optim_wrapper)
        words = DATASETS.build(dict(
            type='TextImageDataset', with_text=True,
            paths=str(shared_data / 'rec_toy_dataset' / 'imgs.lmdb'),
            pipeline=cfg.train_pipeline))
    batch = [words[index] for index in range(WORDS)]

    encoder = getattr(model.backbone, 'vit', model.backbone)
    start = torch.load(checkpoint)['state_dict']
    deformable = vit.get('patch_embed') == 'deformable'
    for name, value in encoder.state_dict().items():
        if deformable and name.startswith('patch_embed'):
            continue  # doubled, and more of them
        assert torch.equal(value, start[f'backbone.{name}']), name
    assert load_encoder_weights(encoder, checkpoint).is_full
    head = [p for name, p in model.named_parameters()
            if name.startswith('decoder.')][0]
    before = head.detach().clone()

    rates = [group['lr'] for group in optimizer.param_groups]
    correct = 0
    for step in range(STEPS):
        for group, rate in zip(optimizer.param_groups, rates):
            group['lr'] = rate * min(1., (step + 1) / 10)
        model.train_step(pseudo_collate(batch), optimizer)
        if step == 0:
            assert not torch.equal(head, before)
            assert not torch.equal(
                encoder.layers[0].attn.qkv.weight,
                start['backbone.layers.0.attn.qkv.weight'])
        if (step + 1) % EVERY == 0:
            correct = read(model, batch)
            if correct == WORDS:
                break
    assert correct == WORDS, f'{correct} words after {step + 1} steps'
