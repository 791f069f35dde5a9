"""`lmim finetune`: one command from words to a recognizer and its figures."""
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable

import cv2
import pytest
import torch
from mmengine.config import Config
from mmocr.apis import TextRecInferencer

from lmim import finetuning
from lmim.apis import TextRecognizer
from lmim.cli.finetune import main
from lmim.datasets.lmdb_writer import LMDBWriter
from lmim.datasets.records import open_sources
from lmim.finetuning import measure, split
from lmim.utils.errors import UserError
from tests.apis import conftest
from tests.apis.conftest import draw, png
from tests.tool_runs import call, call_json

make_checkpoint = conftest.make_checkpoint


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """Twelve pictures of six words, of the letters from a to f."""
    path = tmp_path / 'words.lmdb'
    with LMDBWriter(path) as writer:
        for text in ['ab', 'cd', 'ef', 'abc', 'def', 'face'] * 2:
            writer.add(png(draw(text)), text)
    return path


def test_one_command_trains_and_measures(
        make_checkpoint: Callable[[str], Path], words: Path, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finetuning, 'TESTED', 8)
    monkeypatch.setattr(finetuning, 'RENDERED', 16)
    monkeypatch.setattr(finetuning, 'EPOCHS', 2)
    monkeypatch.setattr('mmengine.runner.runner.collect_env', dict)
    checkpoint, out = make_checkpoint('textrecog/ctc'), tmp_path / 'out'
    args = [words, '--checkpoint', checkpoint, '--out', out, '--updates', 20,
            '--batch-size', 4, '--keep', .25, '--device', 'cpu']
    result = call_json(main, *args)
    assert result['code'] == 0
    assert result['words'] + result['held_out'] == 12
    assert json.loads((out / 'finetune.json').read_text()) == {
        key: value for key, value in result.items()
        if key not in ('code', 'command', 'result')}
    # Letters of the held-out words alone are lacking as well.
    texts = [open_sources(str(out / 'data/train.lmdb')).label(n)
             for n in range(result['words'])]
    assert set(result['lacking']).isdisjoint(''.join(map(str, texts)))
    assert set('xyz0189!') <= set(result['lacking'])
    # The figures are those of the two checkpoints.
    held_out = open_sources(str(out / 'data/held-out.lmdb'))
    for when, path in (('before', checkpoint),
                       ('after', result['checkpoint'])):
        reader = TextRecognizer(path, device='cpu')
        found = measure(reader, held_out, result['lacking'])
        assert found == result[when]['own']
        assert result[when]['rendered']['words'] == 8
        assert result[when]['rendered']['characters'] > 0
    before, after = (torch.load(path)['state_dict']['decoder.decoder.weight']
                     for path in (checkpoint, result['checkpoint']))
    assert 0 < (before - after).abs().max() < .1
    cfg = Config.fromfile(out / 'config.py')
    assert cfg.train_dataloader.sampler.ratios == [.75, .25]
    assert cfg.train_dataloader.sampler.epoch_length == 40
    assert cfg.optim_wrapper.optimizer.lr == 2e-4
    found = TextRecInferencer(weights=result['checkpoint'], device='cpu')(
        draw('abc'), progress_bar=False)['predictions']
    assert found[0]['text'] == reader([draw('abc')])[0].text
    # It is done, and not begun again; nor is another one begun in its place.
    assert call_json(main, *args) == result
    outcome = call(main, *args, '--updates', 40)
    assert outcome.code == 1 and 'other settings (updates)' in outcome.stderr
    # Nor is it, with other words, before it is done.
    (out / 'finetune.json').unlink()
    outcome = call(main, out / 'data/train.lmdb', *args[1:])
    assert outcome.code == 1 and 'other settings (words)' in outcome.stderr
    outcome = call(main, *args)  # the training is resumed, at its end
    assert outcome.code == 0
    lines = outcome.stdout.splitlines()
    assert lines[0] == f'Trained on {result["words"]} words of yours.'
    assert lines[2].split()[0] == 'your' and lines[4].split()[-1].endswith('%')


def test_figures_by_hand(words: Path) -> None:
    texts = iter(['ab', 'cx', 'f', 'abc', '', 'cafe'] * 2)
    reader: Any = lambda source: [SimpleNamespace(text=text)  # noqa: E731
                                  for text in texts]
    found = measure(reader, open_sources(str(words)), 'ef')
    # Of ef, def and face: f of the first; of the last one e behind c and a.
    assert found == dict(words=12, accuracy=4 / 12, characters=12,
                         read=pytest.approx(4 / 12))
    texts = iter(['ab'] * 12)
    assert measure(reader, open_sources(str(words)), 'z')['read'] is None


def test_equal_words_are_of_one_part(words: Path, tmp_path: Path) -> None:
    parts = split([str(words)], tmp_path / 'data')
    train, held_out = ({part.label(n) for n in range(len(part))}
                       for part in parts.values())
    assert train and held_out and not train & held_out
    assert sum(map(len, parts.values())) == 12
    one = tmp_path / 'one.lmdb'
    with LMDBWriter(one) as writer:
        writer.add(png(draw('a')), 'a')
    with pytest.raises(UserError, match='has 1 different words'):
        split([str(one)], tmp_path / 'other')


def test_wrong_shares_are_refused(words: Path, tmp_path: Path) -> None:
    outcome = call(main, words, '--checkpoint', 'x.pth', '--out',
                   tmp_path / 'out', '--keep', 1)
    assert outcome.code == 1 and 'from 0 to below 1, not 1' in outcome.stderr
    assert not (tmp_path / 'out').exists()


def test_what_was_refused_is_not_in_the_way(
        make_checkpoint: Callable[[str], Path], words: Path, tmp_path: Path
        ) -> None:
    out = tmp_path / 'out'
    one = tmp_path / 'one.txt'
    cv2.imwrite(str(tmp_path / 'a.png'), draw('a'))
    one.write_text('a.png\ta\n')
    args = ['--checkpoint', make_checkpoint('textrecog/ctc'), '--out', out]
    for wrong in ([one], [words, '--listed', tmp_path / 'none.txt']):
        assert call(main, *wrong, *args).code == 1
        assert not (out / 'settings.json').exists()
        assert not (out / 'config.py').exists()
    assert call(main, words, *args, '--keep', 2).code == 1
