"""The script that trains the reader, on a few words."""
import os
import subprocess
import sys

from lmim.datasets.rendered_text_dataset import (RenderedRecords,
                                                 make_rendered_sets)
from tests.datasets.make_lmdb import make_lmdb
from tests.documents import REPO


def test_the_reader_is_trained_and_resumed(tmp_path):
    words = RenderedRecords(
        make_rendered_sets({None: 80}, style='print').parts[None])
    (tmp_path / 'real/train').mkdir(parents=True)
    for number, name in enumerate(('iiit5k', 'svt', 'ic15', 'ic03_clean')):
        some = range(20 * number, 20 * number + 20)
        make_lmdb(tmp_path / 'real/train' / name,
                  [words.read(i) for i in some],
                  [words.label(i).encode() for i in some])
    listed = tmp_path / 'dictionary'
    listed.write_text('street\nHotel\nantidisestablishment\nQ42\n')
    environment = dict(
        os.environ, PYTHON=sys.executable, LMIM_DATA_ROOT=str(tmp_path),
        WORK=str(tmp_path / 'work'), DICTIONARY=str(listed), WORDS='8',
        PROCESSES='1')

    def train(epochs):
        done = subprocess.run(
            ['bash', REPO / 'tools/train_reader.sh', '--cfg-options',
             'train_dataloader.sampler.epoch_length=8',
             'train_dataloader.batch_size=4', 'val_dataloader.batch_size=16',
             f'train_cfg.max_epochs={epochs}'],
            env=environment, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout + done.stderr

    assert 'Epoch(val) [2]' in train(2)
    counts = dict(line.split('\t') for line in (
        tmp_path / 'reader/words.txt').read_text().splitlines())
    # Each letter above four makes a word rarer; what is no word is left out.
    assert float(counts['street']) == round(2.718281828**-0.6, 6)
    assert 'Q42' not in counts and len(counts) > 40
    again = train(3)
    assert 'Nothing to do: the same set is there already' in again
    assert 'Epoch(val) [3]' in again and 'Epoch(val) [2]' not in again
