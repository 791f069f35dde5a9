"""Reading checkpoints: clear messages; see also `test_contents.py`."""
import argparse

import pytest
import torch

from lmim.checkpoints import (CheckpointError, open_checkpoint,
                              read_checkpoint)
from lmim.checkpoints.reading import bare_name, find_weights


def test_weights_are_found_wherever_they_are(tmp_path):
    weights = {'a': torch.ones(2), 'module.b': torch.zeros(1)}
    for key in ('state_dict', 'model', None):
        path = tmp_path / f'{key}.pth'
        torch.save({key: weights, 'epoch': 1} if key else weights, path)
        read = open_checkpoint(path).weights
        assert set(read) == {'a', 'b'} and torch.equal(read['a'],
                                                       torch.ones(2))


def test_maes_command_line_in_a_checkpoint_is_no_obstacle(tmp_path):
    path = tmp_path / 'mae.pth'
    torch.save({'model': {'a': torch.ones(1)},
                'args': argparse.Namespace(lr=1e-3)}, path)
    assert read_checkpoint(path)['args'].lr == 1e-3


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match='does not exist'):
        read_checkpoint(tmp_path / 'none.pth')
    with pytest.raises(FileNotFoundError, match='is a folder'):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize('share', [0, 0.01, 0.5, 0.99])
def test_truncated_file(tmp_path, share):
    path = tmp_path / 'whole.pth'
    torch.save({'model': {'a': torch.ones(1000)}}, path)
    content = path.read_bytes()
    path.write_bytes(content[:int(share * len(content))])
    with pytest.raises(CheckpointError, match='whole.pth.*truncated'):
        read_checkpoint(path)


def test_any_byte_of_an_old_file_may_be_damaged(tmp_path):
    """Files of torch before 1.6, whose parts refer to each other."""
    path = tmp_path / 'old.pth'
    torch.save({'a': torch.ones(3)}, path,
               _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    refused = 0
    for place in range(len(content)):
        path.write_bytes(content[:place] + b'R' + content[place + 1:])
        try:
            read_checkpoint(path)
        except CheckpointError as error:
            assert 'old.pth' in str(error)
            refused += 1
    assert refused > 100


def test_file_without_weights(tmp_path):
    path = tmp_path / 'empty.pth'
    torch.save({'epoch': 3}, path)
    with pytest.raises(CheckpointError, match=r"no weights.*\['epoch'\]"):
        open_checkpoint(path)
    torch.save([torch.ones(1)], path)
    with pytest.raises(CheckpointError, match='holds a list'):
        open_checkpoint(path)


@pytest.mark.parametrize('name', [
    '_orig_mod.a.b', 'module._orig_mod.a.b', '_orig_mod.module.a.b',
    'a._orig_mod.b', 'module.a.b', 'a.b'])
def test_names_are_those_of_the_model_itself(name):
    assert bare_name(name) == 'a.b'
    weights, _ = find_weights({'state_dict': {name: torch.ones(1)}}, 'x')
    assert list(weights) == ['a.b']
