"""The command that compares this implementation with the published code."""
import importlib
import json
import subprocess
import sys

import numpy as np
import pytest

KINDS = ['pretrain', 'recognizer']


@pytest.fixture
def verify(repo, monkeypatch, capsys):
    """Runs the command; returns its exit code (or message) and output."""
    monkeypatch.syspath_prepend(str(repo / 'tools'))
    tool = importlib.import_module('verify_reference')

    def run(*args):
        try:
            code = tool.main([str(arg) for arg in args])
        except SystemExit as stop:
            code = stop.code
        return code, capsys.readouterr().out

    return run


@pytest.mark.parametrize('kind', KINDS)
def test_published_numbers_are_matched(verify, shared_reference, kind):
    code, out = verify(shared_reference / f'lmim_{kind}_small.npz', '--json')
    assert code == 0, out
    checks = {c['name']: c for c in json.loads(out)['checks']}
    if kind == 'pretrain':
        assert checks['loss']['error'] < 1e-5
        assert checks['pred']['error'] < 1e-5
        assert sum(name.startswith('gradnorm.') for name in checks) == 86
    else:
        assert checks['logits_teacher_forced']['error'] < 1e-5
        assert checks['greedy (characters that differ)']['error'] == 0


@pytest.mark.parametrize('kind', KINDS)
def test_own_numbers_are_matched(verify, repo, kind):
    code, out = verify(repo / f'tests/data/reference_{kind}.npz')
    assert code == 0 and '0 missed' in out, out


@pytest.mark.parametrize('kind, name', [
    ('pretrain', 'loss_align'), ('pretrain', 'gradnorm.decoder_embed2.weight'),
    ('pretrain', 'state.decoder_blocks.0.linear1.weight'),
    ('recognizer', 'greedy'), ('recognizer', 'memory')
])
def test_a_difference_is_found(verify, repo, tmp_path, kind, name):
    ref = dict(np.load(repo / f'tests/data/reference_{kind}.npz'))
    ref[name] = ref[name] + (1 if name == 'greedy' else 2e-3)
    path = tmp_path / 'changed.npz'
    np.savez(path, **ref)
    code, out = verify(path, '--json')
    assert code == 1 and not json.loads(out)['passed']


@pytest.mark.parametrize('lost', ['target', 'gradnorm.mask_token', 'meta'])
def test_an_incomplete_file_is_no_success(verify, repo, tmp_path, lost):
    ref = dict(np.load(repo / 'tests/data/reference_pretrain.npz'))
    del ref[lost]
    path = tmp_path / 'incomplete.npz'
    np.savez(path, **ref)
    code, _ = verify(path)
    assert 'reference file' in code if lost == 'meta' else 'lacks' in code
    assert lost.split('.')[-1] in code


def test_as_a_user_types_it(repo, tmp_path):
    path = tmp_path / 'text.npz'
    path.write_text('words')
    done = subprocess.run(
        [sys.executable, str(repo / 'tools/verify_reference.py'), str(path)],
        cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and 'no readable .npz' in done.stderr
