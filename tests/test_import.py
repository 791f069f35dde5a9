"""``import lmim`` is all a user does, wherever it is done."""
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import mmocr
import numpy as np
import pytest
import torch

from lmim import safe_globals
from tests.fresh_python import PACKAGE

# A linear layer on a noise picture: what is tried is the way to it.
MMOCR_CONFIG = """
custom_imports = dict(imports=['lmim'], allow_failed_imports=False)
default_scope = 'mmocr'
model = dict(
    type='CRNN',
    backbone=dict(type='MiniVGG', leaky_relu=False, input_channels=3),
    decoder=dict(
        type='CRNNDecoder', in_channels=512, rnn_flag=False,
        dictionary=dict(type='Dictionary', dict_file='dict.txt',
                        with_padding=True),
        module_loss=dict(type='CTCModuleLoss', letter_case='lower'),
        postprocessor=dict(type='CTCPostProcessor')),
    data_preprocessor=dict(
        type='TextRecogDataPreprocessor', mean=[127], std=[127]))
train_dataloader = dict(
    batch_size=1, num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='OCRDataset', ann_file='labels.json',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadOCRAnnotations', with_text=True),
            dict(type='TorchVisionWrapper', op='ColorJitter', hue=0.1),
            dict(type='RescaleToHeight', height=32, min_width=32,
                 max_width=64),
            dict(type='PadToWidth', width=64),
            dict(type='PackTextRecogInputs',
                 meta_keys=('img_path', 'ori_shape', 'img_shape',
                            'valid_ratio'))]))
optim_wrapper = dict(type='OptimWrapper',
                     optimizer=dict(type='SGD', lr=0.001))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1)
default_hooks = dict(logger=dict(type='LoggerHook', interval=1))
"""
#: Runs a script, and lets it resume; imports take longer than either.
TWICE = """
import runpy, sys
script = sys.argv[1]
for extra in [], ['--resume', '--cfg-options', 'train_cfg.max_epochs=2']:
    sys.argv = [script, 'config.py', '--work-dir', 'runs', *extra]
    runpy.run_path(script, run_name='__main__')
"""


def test_mmocrs_own_train_script(tmp_path: Path) -> None:
    """``custom_imports`` alone, in a folder outside the repository."""
    script = Path(mmocr.__file__).parent / '.mim' / 'tools' / 'train.py'
    if not script.is_file():
        pytest.skip('this MMOCR was installed without its tools')
    cv2.imwrite(str(tmp_path / 'word.png'),
                np.arange(32 * 64 * 3, dtype=np.uint8).reshape(32, 64, 3))
    (tmp_path / 'dict.txt').write_text('a\nb')
    (tmp_path / 'labels.json').write_text(
        json.dumps(
            dict(metainfo=dict(
                dataset_type='TextRecogDataset', task_name='textrecog'),
                 data_list=[
                     dict(img_path='word.png',
                          instances=[dict(text='ab')])
                 ])))
    config = tmp_path / 'config.py'
    config.write_text(MMOCR_CONFIG, encoding='utf-8')
    done = subprocess.run(
        [sys.executable, '-c', TWICE, str(script)], cwd=tmp_path,
        env=dict(os.environ, PYTHONPATH=str(PACKAGE)), capture_output=True,
        text=True)
    assert done.returncode == 0, done.stderr
    state = torch.load(tmp_path / 'runs' / 'epoch_2.pth',
                       map_location='cpu',
                       weights_only=bool(safe_globals
                                         .allow_mmengine_checkpoints()))
    assert state['meta']['epoch'] == 2
    assert 'decoder.decoder.weight' in state['state_dict']
